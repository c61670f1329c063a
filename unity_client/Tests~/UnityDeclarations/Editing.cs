// Declarations only, see README.md: the editor.
#pragma warning disable CS0067
using System;
using UnityEngine;

namespace UnityEditor
{
    public enum MessageType
    {
        None,
        Info,
        Warning,
        Error,
    }

    public enum PlayModeStateChange
    {
        EnteredEditMode,
        ExitingEditMode,
        EnteredPlayMode,
        ExitingPlayMode,
    }

    [AttributeUsage(AttributeTargets.Class)]
    public class InitializeOnLoadAttribute : Attribute
    {
    }

    public class CustomEditor : Attribute
    {
        public CustomEditor(Type inspectedType)
        {
        }
    }

    public sealed class MenuItem : Attribute
    {
        public MenuItem(string itemName)
        {
        }
    }

    public class SerializedObject
    {
        public void Update() => throw new NotImplementedException();
    }

    public class Editor : ScriptableObject
    {
        public UnityEngine.Object target { get; set; }
        public SerializedObject serializedObject => throw new NotImplementedException();
        public bool DrawDefaultInspector() => throw new NotImplementedException();
        public virtual void OnInspectorGUI() => throw new NotImplementedException();
        public virtual bool RequiresConstantRepaint() => throw new NotImplementedException();
        public void Repaint() => throw new NotImplementedException();
    }

    public class EditorWindow : ScriptableObject
    {
        public static T GetWindow<T>(string title) where T : EditorWindow => throw new NotImplementedException();
        public void Repaint() => throw new NotImplementedException();
    }

    public static class EditorApplication
    {
        public static event Action quitting;
        public static event Action<PlayModeStateChange> playModeStateChanged;
    }

    public static class AssemblyReloadEvents
    {
        public delegate void AssemblyReloadCallback();
        public static event AssemblyReloadCallback beforeAssemblyReload;
    }

    public sealed class EditorGUI
    {
        public static void ProgressBar(Rect position, float value, string text) => throw new NotImplementedException();

        public struct DisabledScope : IDisposable
        {
            public DisabledScope(bool disabled) => throw new NotImplementedException();
            public void Dispose() => throw new NotImplementedException();
        }
    }

    public sealed class EditorGUILayout
    {
        public static void HelpBox(string message, MessageType type) => throw new NotImplementedException();
        public static void Space() => throw new NotImplementedException();
        public static void LabelField(string label, string label2, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static Rect BeginHorizontal(params GUILayoutOption[] options) => throw new NotImplementedException();
        public static void EndHorizontal() => throw new NotImplementedException();
        public static bool Foldout(bool foldout, string content, bool toggleOnLabelClick) => throw new NotImplementedException();
        public static bool Toggle(string label, bool value, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static Rect GetControlRect(params GUILayoutOption[] options) => throw new NotImplementedException();
        public static Rect GetControlRect(bool hasLabel, float height, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static UnityEngine.Object ObjectField(GUIContent label, UnityEngine.Object obj, Type objType, bool allowSceneObjects, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static Enum EnumPopup(GUIContent label, Enum selected, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static Enum EnumPopup(string label, Enum selected, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static string TextField(GUIContent label, string text, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static int IntField(GUIContent label, int value, params GUILayoutOption[] options) => throw new NotImplementedException();
    }

    public static class EditorUtility
    {
        public static string SaveFilePanelInProject(string title, string defaultName, string extension, string message) => throw new NotImplementedException();
        public static void SetDirty(UnityEngine.Object target) => throw new NotImplementedException();
    }

    public static class AssetDatabase
    {
        public static void CreateAsset(UnityEngine.Object asset, string path) => throw new NotImplementedException();
        public static void SaveAssets() => throw new NotImplementedException();
    }

    public static class Undo
    {
        public static void RecordObject(UnityEngine.Object objectToUndo, string name) => throw new NotImplementedException();
    }

    public struct EditorCurveBinding
    {
        public static EditorCurveBinding FloatCurve(string inPath, Type inType, string inPropertyName) => throw new NotImplementedException();
    }

    public class AnimationUtility
    {
        public enum TangentMode
        {
            Free,
            Auto,
            Linear,
            Constant,
            ClampedAuto,
        }

        public static string CalculateTransformPath(Transform targetTransform, Transform root) => throw new NotImplementedException();
        public static void SetEditorCurve(AnimationClip clip, EditorCurveBinding binding, AnimationCurve curve) => throw new NotImplementedException();
        public static void SetKeyLeftTangentMode(AnimationCurve curve, int index, TangentMode tangentMode) => throw new NotImplementedException();
        public static void SetKeyRightTangentMode(AnimationCurve curve, int index, TangentMode tangentMode) => throw new NotImplementedException();
    }
}
