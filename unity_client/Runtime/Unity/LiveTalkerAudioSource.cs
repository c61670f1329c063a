// Any AudioSource: its sound goes to the server as it plays, and is heard late enough for the face to be there.
using System;
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>Sends what an AudioSource plays, recorded lines or a TTS, and delays its sound to match the face.</summary>
    /// <remarks>
    /// Put it on the AudioSource's GameObject, below any effects. It taps the sound as an audio filter, on the audio thread.
    /// While nothing plays, silence is sent, so that the face stays alive.
    /// </remarks>
    [AddComponentMenu("LiveTalker/LiveTalker Audio Source")]
    [RequireComponent(typeof(AudioSource))]
    public sealed class LiveTalkerAudioSource : LiveTalkerVoice
    {
        private const int MaxRate = 48000;
        private const int MaxBlock = 4096;
        private const double QuietSeconds = 0.15;

        [SerializeField]
        [Range(0.05f, 1f)]
        [Tooltip("How late the sound is heard, seconds. As long as server and network take: 0.25 on one machine or a good network, "
            + "more if the face stutters. The character's lines are late by this, the lips are not.")]
        private float audioDelay = 0.25f;

        [SerializeField]
        [Range(0f, 0.5f)]
        [Tooltip("Latency of the loudspeakers that Unity does not know of, seconds: about 0.2 with Bluetooth, else 0. Raise it if lips are early.")]
        private float loudspeakerLatency;

        private readonly object gate = new object();
        private readonly float[] mono = new float[MaxBlock];
        private AudioSource source;
        private AudioClip silence;
        private FaceSession tapped;
        private float[] line = new float[0];
        private int lineFrames;
        private int lineChannels;
        private int lineAt;
        private int decimation = 1;
        private int outputRate;
        private double outputLatency;
        private long written;
        private double tappedAt;
        private double heardAt;
        private double sentUntil;
        private double drainedAt;
        private bool wasPlaying;

        /// <summary>How late the sound is heard, seconds. Takes effect when the component is enabled again.</summary>
        public float AudioDelay
        {
            get => audioDelay;
            set => audioDelay = value;
        }

        /// <summary>Says a recorded line: the AudioSource's clip is set and played.</summary>
        public void Speak(AudioClip recording)
        {
            source.clip = recording;
            source.Play();
        }

        /// <inheritdoc/>
        public override void Interrupt()
        {
            source.Stop();
            lock (gate)
            {
                Array.Clear(line, 0, line.Length);
            }

            base.Interrupt();
        }

        private void Awake()
        {
            source = GetComponent<AudioSource>();
        }

        private void OnEnable()
        {
            outputRate = AudioSettings.outputSampleRate;
            decimation = (outputRate + MaxRate - 1) / MaxRate;
            AudioSettings.GetDSPBufferSize(out int length, out int count);
            outputLatency = (length * count / (double)outputRate) + loudspeakerLatency;
            silence = AudioClip.Create("LiveTalker silence", outputRate, 1, outputRate, false);
            Begin(outputRate / decimation, isHeardLate: true);
            lock (gate)
            {
                lineFrames = Math.Max(1, (int)(audioDelay * outputRate));
                SetChannels(2);
                written = 0;
                sentUntil = MonotonicClock.Now;
                heardAt = double.NaN;
                tapped = Session;
            }
        }

        /// <inheritdoc/>
        protected override void OnDisable()
        {
            lock (gate)
            {
                tapped = null;
            }

            Destroy(silence);
            base.OnDisable();
        }

        private void Update()
        {
            ReadEvents();
            // The filter stops with the source. What is still in the line is heard behind a silence that plays on.
            double now = MonotonicClock.Now;
            bool playing = source.isPlaying;
            if (wasPlaying && !playing && now > drainedAt)
            {
                source.PlayOneShot(silence);
                drainedAt = now + silence.length + QuietSeconds; // the end of the silence is no reason for another
            }

            wasPlaying = playing;
            double at;
            double position;
            lock (gate)
            {
                PassSilence(now);
                at = tappedAt;
                position = heardAt;
            }

            if (!double.IsNaN(position))
            {
                Presenter?.Clock.Observe(at, position);
            }
        }

        // On the audio thread.
        private void OnAudioFilterRead(float[] data, int channels)
        {
            lock (gate)
            {
                if (tapped == null)
                {
                    return;
                }

                if (channels != lineChannels)
                {
                    SetChannels(channels);
                }

                double now = MonotonicClock.Now;
                // The first sample that this block puts out is heard when all that is buffered behind it has been.
                Observe(now);
                Send(data, channels);
                sentUntil = now + (data.Length / channels / (double)outputRate);
                Delay(data);
            }
        }

        private void Observe(double now)
        {
            tappedAt = now;
            heardAt = (written * decimation - lineFrames) / (double)outputRate - outputLatency;
        }

        private void Send(float[] data, int channels)
        {
            int frames = Math.Min(data.Length / channels / decimation, MaxBlock);
            float scale = 1f / (channels * decimation);
            int at = 0;
            for (int i = 0; i < frames; i++)
            {
                float sum = 0;
                for (int n = channels * decimation; n > 0; n--)
                {
                    sum += data[at++];
                }

                mono[i] = sum * scale;
            }

            tapped.Write(new ReadOnlySpan<float>(mono, 0, frames));
            written += frames;
        }

        private void Delay(float[] data)
        {
            for (int i = 0; i < data.Length; i++)
            {
                float late = line[lineAt];
                line[lineAt] = data[i];
                data[i] = late;
                lineAt = lineAt + 1 == line.Length ? 0 : lineAt + 1;
            }
        }

        // While nothing plays the filter is not called, and time goes on by the wall.
        private void PassSilence(double now)
        {
            if (tapped == null || now - sentUntil < QuietSeconds)
            {
                return;
            }

            long missing = (long)((now - sentUntil) * outputRate / decimation);
            sentUntil = now;
            Array.Clear(mono, 0, mono.Length);
            while (missing > 0)
            {
                int count = (int)Math.Min(missing, MaxBlock);
                tapped.Write(new ReadOnlySpan<float>(mono, 0, count));
                written += count;
                missing -= count;
            }

            Observe(now);
        }

        private void SetChannels(int channels)
        {
            lineChannels = channels;
            line = new float[lineFrames * channels];
            lineAt = 0;
        }
    }
}
