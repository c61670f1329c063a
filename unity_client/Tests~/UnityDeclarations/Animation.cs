// Declarations only, see README.md: animation.
using System;

namespace UnityEngine
{
    public struct Keyframe
    {
        public Keyframe(float time, float value) => throw new NotImplementedException();
    }

    public class AnimationCurve
    {
        public int length => throw new NotImplementedException();
        public int AddKey(Keyframe key) => throw new NotImplementedException();
    }

    public sealed class AnimationClip : Object
    {
        public float frameRate { get; set; }
        public bool legacy { get; set; }
    }

    public sealed class AnimationState
    {
        public float time { get; set; }
    }

    public sealed class Animation : Behaviour
    {
        public AnimationState this[string name] => throw new NotImplementedException();
        public void AddClip(AnimationClip clip, string newName) => throw new NotImplementedException();
        public bool Play(string animation) => throw new NotImplementedException();
    }
}
