// What a stream may ask of the server: the contract's StreamConfig, in C#.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>How far the model may listen ahead of each frame: the choice between latency and quality.</summary>
    public enum LatencyPreset
    {
        /// <summary>The server's default: balanced.</summary>
        Default = 0,

        /// <summary>40 ms, the least latency.</summary>
        Low = 1,

        /// <summary>80 ms.</summary>
        Balanced = 2,

        /// <summary>160 ms, the best lip sync.</summary>
        Quality = 3,
    }

    /// <summary>What gives way when frames are read too slowly.</summary>
    public enum Delivery
    {
        /// <summary>For microphones and conversations: the newest frames win.</summary>
        Live = 1,

        /// <summary>For recorded lines and baking: every frame arrives, and <see cref="FaceSession.Write"/> takes less audio instead.</summary>
        Lossless = 2,
    }

    /// <summary>Whose speaking style to use.</summary>
    public sealed class IdentityChoice
    {
        private IdentityChoice(string pinned, IReadOnlyDictionary<string, float> blend)
        {
            Pinned = pinned;
            Blend = blend;
        }

        /// <summary>Match the voice against the model's library; the default.</summary>
        public static IdentityChoice Automatic { get; } = new IdentityChoice(null, null);

        /// <summary>The one identity to use, or null.</summary>
        public string Pinned { get; }

        /// <summary>Weight of each identity of a mixture, or null.</summary>
        public IReadOnlyDictionary<string, float> Blend { get; }

        /// <summary>One identity of the library, by a name of <see cref="ModelInfo.Identities"/>.</summary>
        public static IdentityChoice Pin(string name)
        {
            return new IdentityChoice(name ?? throw new ArgumentNullException(nameof(name)), null);
        }

        /// <summary>A mixture; weights above 0, which the server normalises.</summary>
        public static IdentityChoice Mix(IReadOnlyDictionary<string, float> weights)
        {
            return new IdentityChoice(null, weights ?? throw new ArgumentNullException(nameof(weights)));
        }
    }

    /// <summary>Adjustments that the server makes to the coefficients, by camelCase ARKit name.</summary>
    public sealed class Shaping
    {
        /// <summary>Factor for each named coefficient, 0 to 10.</summary>
        public Dictionary<string, float> Gains { get; } = new Dictionary<string, float>(StringComparer.Ordinal);

        /// <summary>Added to each named coefficient, -1 to 1.</summary>
        public Dictionary<string, float> Offsets { get; } = new Dictionary<string, float>(StringComparer.Ordinal);

        /// <summary>An expression to hold under the speech, 0 to 1.</summary>
        public Dictionary<string, float> Expression { get; } = new Dictionary<string, float>(StringComparer.Ordinal);

        /// <summary>True: what leaves 0 to 1 is cut off. False: it is bent over softly.</summary>
        public bool Clamp { get; set; } = true;
    }

    /// <summary>How to read a stream's audio and what face to make of it.</summary>
    public sealed class SessionConfig
    {
        /// <summary>Samples per second, 8000 to 48000, of the mono audio that is written.</summary>
        public int SampleRate { get; set; } = 48000;

        /// <summary>Frames per second, 30 or 60.</summary>
        public int FrameRate { get; set; } = 60;

        /// <summary>How far the model listens ahead.</summary>
        public LatencyPreset Latency { get; set; } = LatencyPreset.Default;

        /// <summary>What gives way when frames are read too slowly.</summary>
        public Delivery Delivery { get; set; } = Delivery.Live;

        /// <summary>Whose speaking style to use.</summary>
        public IdentityChoice Identity { get; set; } = IdentityChoice.Automatic;

        /// <summary>Seed of everything random: the same audio, config and seed give the same frames.</summary>
        public ulong Seed { get; set; }

        /// <summary>Adjustments by the server; null means none.</summary>
        public Shaping Shaping { get; set; }

        /// <summary>Whether the face blinks.</summary>
        public bool Blinks { get; set; } = true;

        /// <summary>Whether a silent face keeps its small idle motion.</summary>
        public bool IdleMotion { get; set; } = true;

        /// <summary>Refuses what the server would refuse too, before anything is sent.</summary>
        /// <exception cref="ArgumentException">A value is out of its range; the message says which and what to do.</exception>
        internal void Validate()
        {
            if (SampleRate < 8000 || SampleRate > 48000)
            {
                throw new ArgumentException(
                    $"The sample rate is {SampleRate} Hz; it must be 8000 to 48000. Resample the audio, or set the project's audio to 48000 Hz.");
            }

            if (FrameRate != 30 && FrameRate != 60)
            {
                throw new ArgumentException($"The frame rate is {FrameRate}; it must be 30 or 60.");
            }

            if (Delivery != Delivery.Live && Delivery != Delivery.Lossless)
            {
                throw new ArgumentException("The delivery must be Live or Lossless.");
            }
        }
    }
}
