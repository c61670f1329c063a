// Declarations only, see README.md: objects, components, transforms, meshes.
#pragma warning disable CS0067, CS0649, CS0414, CS0660, CS0661
using System;
using System.Collections;

namespace UnityEngine
{
    public class Object
    {
        public string name { get; set; }
        public static void Destroy(Object obj) => throw new NotImplementedException();
        public static bool operator ==(Object a, Object b) => throw new NotImplementedException();
        public static bool operator !=(Object a, Object b) => throw new NotImplementedException();
    }

    public class ScriptableObject : Object
    {
        public static T CreateInstance<T>() where T : ScriptableObject => throw new NotImplementedException();
    }

    public class Component : Object
    {
        public Transform transform => throw new NotImplementedException();
        public GameObject gameObject => throw new NotImplementedException();
        public T GetComponent<T>() => throw new NotImplementedException();
        public T GetComponentInChildren<T>() => throw new NotImplementedException();
        public T[] GetComponentsInChildren<T>() => throw new NotImplementedException();
    }

    public class Behaviour : Component
    {
        public bool enabled { get; set; }
    }

    public class MonoBehaviour : Behaviour
    {
        public void StopAllCoroutines() => throw new NotImplementedException();
    }

    public sealed class GameObject : Object
    {
        public GameObject(string name) => throw new NotImplementedException();
        public Transform transform => throw new NotImplementedException();
        public void SetActive(bool value) => throw new NotImplementedException();
        public T AddComponent<T>() where T : Component => throw new NotImplementedException();
    }

    public class Transform : Component, IEnumerable
    {
        public Quaternion rotation { get; set; }
        public Quaternion localRotation { get; set; }
        public void SetParent(Transform parent, bool worldPositionStays) => throw new NotImplementedException();
        public IEnumerator GetEnumerator() => throw new NotImplementedException();
    }

    public struct Quaternion
    {
        public float x, y, z, w;
        public static Quaternion Euler(float x, float y, float z) => throw new NotImplementedException();
        public static Quaternion Inverse(Quaternion rotation) => throw new NotImplementedException();
        public static Quaternion operator *(Quaternion lhs, Quaternion rhs) => throw new NotImplementedException();
        public static bool operator ==(Quaternion lhs, Quaternion rhs) => throw new NotImplementedException();
        public static bool operator !=(Quaternion lhs, Quaternion rhs) => throw new NotImplementedException();
    }

    public struct Rect
    {
    }

    public sealed class Mesh : Object
    {
        public int blendShapeCount => throw new NotImplementedException();
        public string GetBlendShapeName(int shapeIndex) => throw new NotImplementedException();
    }

    public class Renderer : Component
    {
    }

    public class SkinnedMeshRenderer : Renderer
    {
        public Mesh sharedMesh { get; set; }
        public float GetBlendShapeWeight(int index) => throw new NotImplementedException();
        public void SetBlendShapeWeight(int index, float value) => throw new NotImplementedException();
    }

    public sealed class WaitForSeconds
    {
        public WaitForSeconds(float seconds) => throw new NotImplementedException();
    }

    public static class Time
    {
        public static int frameCount => throw new NotImplementedException();
        public static float unscaledDeltaTime => throw new NotImplementedException();
    }

    public static class Debug
    {
        public static void LogWarning(object message, Object context) => throw new NotImplementedException();
    }

    public static class Application
    {
        public static event Action quitting;
        public static bool isPlaying => throw new NotImplementedException();
    }
}
