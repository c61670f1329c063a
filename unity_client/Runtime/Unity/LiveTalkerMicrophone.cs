// A live microphone: chooses a device, survives its unplugging, and sends silence while it is not to be heard.
using System;
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>Sends a microphone's voice. The face follows as soon as it can.</summary>
    [AddComponentMenu("LiveTalker/LiveTalker Microphone")]
    public sealed class LiveTalkerMicrophone : LiveTalkerVoice
    {
        // As long as a game may stand still without losing any of the voice.
        private const int LoopSeconds = 10;
        private const int BlocksPerSecond = 100;
        private const double RetrySeconds = 1.0;

        // The device's clock stops when it is unplugged, which some systems do not tell.
        private const double StalledSeconds = 1.0;

        [SerializeField]
        [Tooltip("Name of the microphone, or a part of it; empty is the system's default.")]
        private string device = "";

        [SerializeField]
        [Tooltip("The voice is heard only while IsTalking is set, for example by a key.")]
        private bool pushToTalk;

        [SerializeField]
        [Tooltip("Nothing is heard. The face stays alive.")]
        private bool muted;

        private AudioClip clip;
        private string opened;
        private float[] block = new float[0];
        private float[] mono = new float[0];
        private CaptureLoop loop;
        private long written;
        private double silentSince;
        private double nextTry;
        private double lastProgress;

        /// <summary>The microphone, or a part of its name; empty is the system's default. Takes effect at once.</summary>
        public string Device
        {
            get => device;
            set
            {
                device = value ?? "";
                Close();
            }
        }

        /// <summary>Whether the voice is heard only while <see cref="IsTalking"/> is set.</summary>
        public bool PushToTalk
        {
            get => pushToTalk;
            set => pushToTalk = value;
        }

        /// <summary>With push-to-talk: whether the key is held.</summary>
        public bool IsTalking { get; set; }

        /// <summary>Whether nothing is heard. What the microphone hears then does not leave the machine.</summary>
        public bool Muted
        {
            get => muted;
            set => muted = value;
        }

        /// <summary>Whether a device is open and delivers.</summary>
        public bool IsCapturing => clip != null;

        /// <summary>Loudness of the last block, 0 to 1, for a meter.</summary>
        public float Level { get; private set; }

        /// <summary>Samples that were lost because the game stood still for more than ten seconds; silence took their place.</summary>
        public long LostSamples { get; private set; }

        private bool IsHeard => !muted && (!pushToTalk || IsTalking);

        private void OnEnable()
        {
            Open();
        }

        /// <inheritdoc/>
        protected override void OnDisable()
        {
            Close();
            base.OnDisable();
        }

        private void Update()
        {
            ReadEvents();
            if (clip != null)
            {
                Capture();
            }
            else
            {
                Level = 0;
                PassSilence();
                if (MonotonicClock.Now >= nextTry)
                {
                    Open();
                }
            }
        }

        private void Open()
        {
            nextTry = MonotonicClock.Now + RetrySeconds;
            if (!TryFindDevice(out string found))
            {
                if (Session == null)
                {
                    Begin(48000, isHeardLate: false);
                    silentSince = MonotonicClock.Now;
                }

                return;
            }

            Microphone.GetDeviceCaps(found, out int least, out int most);
            int rate = most == 0 ? 48000 : Math.Min(48000, Math.Max(most, 8000));
            rate = Math.Max(rate, Math.Min(least, 48000));
            // A session has one rate. A device that comes back, or another one, is opened at it where it can.
            rate = Session != null ? Session.Config.SampleRate : rate;
            AudioClip started = Microphone.Start(found, true, LoopSeconds, rate);
            if (started == null)
            {
                return;
            }

            clip = started;
            opened = found;
            lastProgress = MonotonicClock.Now;
            loop = new CaptureLoop(started.samples, started.frequency, lastProgress);
            if (Session == null || Session.Config.SampleRate != started.frequency)
            {
                Begin(started.frequency, isHeardLate: false);
                written = 0;
            }

            int frames = started.frequency / BlocksPerSecond;
            block = new float[frames * started.channels];
            mono = new float[frames];
        }

        private bool TryFindDevice(out string found)
        {
            found = null;
            string[] devices = Microphone.devices;
            if (devices.Length == 0)
            {
                return false;
            }

            if (string.IsNullOrEmpty(device))
            {
                found = devices[0];
                return true;
            }

            foreach (string candidate in devices)
            {
                if (candidate.IndexOf(device, StringComparison.OrdinalIgnoreCase) >= 0)
                {
                    found = candidate;
                    return true;
                }
            }

            return false;
        }

        private void Close()
        {
            if (clip != null)
            {
                Microphone.End(opened);
                Destroy(clip);
            }

            clip = null;
            silentSince = MonotonicClock.Now;
        }

        // Takes whole blocks out of the loop that the device writes, and tells the clock where the device is.
        private void Capture()
        {
            double now = MonotonicClock.Now;
            int before = loop.Available;
            long lost = loop.Observe(now, Microphone.GetPosition(opened));
            if (loop.Available != before)
            {
                lastProgress = now;
            }

            if (!Microphone.IsRecording(opened) || now - lastProgress > StalledSeconds)
            {
                Close();
                return;
            }

            if (lost > 0)
            {
                LostSamples += lost;
                written += lost;
                Session?.Skip(lost);
            }

            while (loop.Available >= mono.Length)
            {
                clip.GetData(block, loop.Position);
                Hear();
                loop.Take(mono.Length);
            }

            Presenter?.Clock.Observe(now, (written + loop.Available) / (double)clip.frequency);
        }

        private void Hear()
        {
            int channels = clip.channels;
            float loudest = 0;
            for (int i = 0; i < mono.Length; i++)
            {
                float sum = 0;
                for (int c = 0; c < channels; c++)
                {
                    sum += block[(i * channels) + c];
                }

                mono[i] = IsHeard ? sum / channels : 0;
                loudest = Math.Max(loudest, Math.Abs(mono[i]));
            }

            Level = loudest;
            written += mono.Length;
            Session?.Write(mono);
        }

        // While there is no device, time goes on: the face blinks, and the stream's clock stays that of the wall.
        private void PassSilence()
        {
            if (Session == null)
            {
                return;
            }

            double now = MonotonicClock.Now;
            int rate = Session.Config.SampleRate;
            if (mono.Length == 0)
            {
                mono = new float[rate / BlocksPerSecond];
            }

            Array.Clear(mono, 0, mono.Length);
            double length = mono.Length / (double)rate;
            while (now - silentSince >= length)
            {
                silentSince += length;
                written += mono.Length;
                Session.Write(mono);
            }

            Presenter?.Clock.Observe(now, (written / (double)rate) + (now - silentSince));
        }
    }
}
