// What the server says when it accepts a stream, and what it serves.
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>What the server accepts on one stream.</summary>
    public sealed class StreamLimits
    {
        /// <summary>Longest audio chunk, milliseconds.</summary>
        public int MaxChunkMs { get; internal set; }

        /// <summary>Largest request message, bytes.</summary>
        public int MaxMessageBytes { get; internal set; }

        /// <summary>Longest hole in the audio that is filled with silence, milliseconds.</summary>
        public int MaxGapMs { get; internal set; }

        /// <summary>How long the server waits for a client that does not read, milliseconds.</summary>
        public int WriteDeadlineMs { get; internal set; }
    }

    /// <summary>The contract's <c>Started</c>: what a stream's frames mean.</summary>
    public sealed class StreamInfo
    {
        /// <summary>Name of this stream in the server's logs.</summary>
        public string SessionId { get; internal set; } = "";

        /// <summary>Name of the model.</summary>
        public string ModelName { get; internal set; } = "";

        /// <summary>Version of the model.</summary>
        public string ModelVersion { get; internal set; } = "";

        /// <summary>Names of the coefficients in the order in which they travel.</summary>
        public IReadOnlyList<string> BlendshapeNames { get; internal set; } = new string[0];

        /// <summary>Frames per second.</summary>
        public int FrameRate { get; internal set; }

        /// <summary>Audio after its own instant that a frame waits for, microseconds.</summary>
        public long AlgorithmicLatencyUs { get; internal set; }

        /// <summary>What the server accepts.</summary>
        public StreamLimits Limits { get; internal set; } = new StreamLimits();

        /// <summary>Lets the stream go on in another call; empty where the server does not offer that.</summary>
        internal byte[] ResumeToken { get; set; } = new byte[0];

        /// <summary>First frame that this call will send.</summary>
        internal long FirstFrame { get; set; }
    }

    /// <summary>A latency preset and its cost.</summary>
    public readonly struct LatencyPresetInfo
    {
        internal LatencyPresetInfo(LatencyPreset preset, long algorithmicLatencyUs)
        {
            Preset = preset;
            AlgorithmicLatencyUs = algorithmicLatencyUs;
        }

        /// <summary>The preset.</summary>
        public LatencyPreset Preset { get; }

        /// <summary>Its latency at 30 frames per second, microseconds; 60 cost 1/60 s more.</summary>
        public long AlgorithmicLatencyUs { get; }
    }

    /// <summary>What a server serves.</summary>
    public sealed class ModelInfo
    {
        /// <summary>Name of the model.</summary>
        public string ModelName { get; internal set; } = "";

        /// <summary>Version of the model.</summary>
        public string ModelVersion { get; internal set; } = "";

        /// <summary>Names of the coefficients.</summary>
        public IReadOnlyList<string> BlendshapeNames { get; internal set; } = new string[0];

        /// <summary>Frame rates a config may ask for.</summary>
        public IReadOnlyList<int> FrameRates { get; internal set; } = new int[0];

        /// <summary>Latency presets and what they cost.</summary>
        public IReadOnlyList<LatencyPresetInfo> LatencyPresets { get; internal set; } = new LatencyPresetInfo[0];

        /// <summary>Names in the identity library.</summary>
        public IReadOnlyList<string> Identities { get; internal set; } = new string[0];

        /// <summary>Denoise steps the model takes for each frame.</summary>
        public int DenoiseSteps { get; internal set; }

        /// <summary>What the server accepts on one stream.</summary>
        public StreamLimits Limits { get; internal set; } = new StreamLimits();
    }
}
