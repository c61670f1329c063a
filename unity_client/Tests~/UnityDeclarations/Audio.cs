// Declarations only, see README.md: sound.
using System;

namespace UnityEngine
{
    public sealed class AudioClip : Object
    {
        public int samples => throw new NotImplementedException();
        public int channels => throw new NotImplementedException();
        public int frequency => throw new NotImplementedException();
        public float length => throw new NotImplementedException();
        public bool GetData(float[] data, int offsetSamples) => throw new NotImplementedException();
        public static AudioClip Create(string name, int lengthSamples, int channels, int frequency, bool stream) => throw new NotImplementedException();
    }

    public sealed class AudioSource : Behaviour
    {
        public AudioClip clip { get; set; }
        public bool isPlaying => throw new NotImplementedException();
        public float time { get; set; }
        public void Play() => throw new NotImplementedException();
        public void Stop() => throw new NotImplementedException();
        public void PlayOneShot(AudioClip clip) => throw new NotImplementedException();
    }

    public static class AudioSettings
    {
        public static int outputSampleRate { get; set; }
        public static void GetDSPBufferSize(out int bufferLength, out int numBuffers) => throw new NotImplementedException();
    }

    public static class Microphone
    {
        public static string[] devices => throw new NotImplementedException();
        public static AudioClip Start(string deviceName, bool loop, int lengthSec, int frequency) => throw new NotImplementedException();
        public static void End(string deviceName) => throw new NotImplementedException();
        public static bool IsRecording(string deviceName) => throw new NotImplementedException();
        public static int GetPosition(string deviceName) => throw new NotImplementedException();
        public static void GetDeviceCaps(string deviceName, out int minFreq, out int maxFreq) => throw new NotImplementedException();
    }
}
