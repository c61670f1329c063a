// Decodes what the server says. Frames go through one preallocated array; the rare other messages become objects.
using System;
using System.Collections.Generic;

namespace LiveTalker.Wire
{
    /// <summary>Receives the parts of an <c>AnimateResponse</c>.</summary>
    internal interface IResponseSink
    {
        void OnStarted(StreamInfo info);

        /// <param name="index">The frame's index on the call's clock.</param>
        /// <param name="timeUs">The frame's instant, microseconds.</param>
        /// <param name="weights">The coefficients as they travelled; valid only during the call.</param>
        void OnFrame(long index, long timeUs, ReadOnlySpan<float> weights);

        void OnEvent(SessionEvent occurred);

        /// <param name="token">A newer token.</param>
        /// <param name="frameIndex">The frame it was made at, on the call's clock.</param>
        void OnResumePoint(byte[] token, long frameIndex);
    }

    /// <summary>Reads <c>AnimateResponse</c> and <c>GetModelInfoResponse</c>.</summary>
    internal sealed class ResponseDecoder
    {
        // A server with more coefficients than we know may exist one day; more than this is a corrupt message.
        private const int MaxWeights = 256;

        private const uint Varint = (uint)WireType.Varint;
        private const uint Bytes = (uint)WireType.LengthDelimited;
        private const uint Fixed32 = (uint)WireType.Fixed32;

        private readonly float[] weights = new float[MaxWeights];

        /// <summary>Decodes one response.</summary>
        /// <exception cref="WireException">The bytes are no such message.</exception>
        public void Decode(ReadOnlySpan<byte> message, IResponseSink sink)
        {
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Bytes:
                        sink.OnStarted(ReadStarted(reader.ReadBytes()));
                        break;
                    case (2 << 3) | Bytes:
                        ReadFrames(reader.ReadBytes(), sink);
                        break;
                    case (3 << 3) | Bytes:
                        ReadEvent(reader.ReadBytes(), sink);
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }
        }

        public static ModelInfo DecodeModelInfo(ReadOnlySpan<byte> message)
        {
            var info = new ModelInfo();
            var names = new List<string>();
            var rates = new List<int>();
            var presets = new List<LatencyPresetInfo>();
            var identities = new List<string>();
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Bytes:
                        info.ModelName = reader.ReadString();
                        break;
                    case (2 << 3) | Bytes:
                        info.ModelVersion = reader.ReadString();
                        break;
                    case (3 << 3) | Bytes:
                        names.Add(reader.ReadString());
                        break;
                    case (4 << 3) | Varint:
                        rates.Add(reader.ReadInt32());
                        break;
                    case (4 << 3) | Bytes:
                        ReadPackedInts(reader.ReadBytes(), rates);
                        break;
                    case (5 << 3) | Bytes:
                        presets.Add(ReadPreset(reader.ReadBytes()));
                        break;
                    case (6 << 3) | Bytes:
                        identities.Add(reader.ReadString());
                        break;
                    case (7 << 3) | Varint:
                        info.DenoiseSteps = reader.ReadInt32();
                        break;
                    case (8 << 3) | Bytes:
                        info.Limits = ReadLimits(reader.ReadBytes());
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            info.BlendshapeNames = names;
            info.FrameRates = rates;
            info.LatencyPresets = presets;
            info.Identities = identities;
            return info;
        }

        private static StreamInfo ReadStarted(ReadOnlySpan<byte> message)
        {
            var info = new StreamInfo();
            var names = new List<string>(Arkit.Count);
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Bytes:
                        info.SessionId = reader.ReadString();
                        break;
                    case (2 << 3) | Bytes:
                        info.ModelName = reader.ReadString();
                        break;
                    case (3 << 3) | Bytes:
                        info.ModelVersion = reader.ReadString();
                        break;
                    case (4 << 3) | Bytes:
                        names.Add(reader.ReadString());
                        break;
                    case (5 << 3) | Varint:
                        info.FrameRate = reader.ReadInt32();
                        break;
                    case (6 << 3) | Varint:
                        info.AlgorithmicLatencyUs = reader.ReadInt64();
                        break;
                    case (7 << 3) | Bytes:
                        info.Limits = ReadLimits(reader.ReadBytes());
                        break;
                    case (8 << 3) | Bytes:
                        info.ResumeToken = reader.ReadBytes().ToArray();
                        break;
                    case (9 << 3) | Varint:
                        info.FirstFrame = reader.ReadInt64();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            info.BlendshapeNames = names;
            return info;
        }

        private static StreamLimits ReadLimits(ReadOnlySpan<byte> message)
        {
            var limits = new StreamLimits();
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Varint:
                        limits.MaxChunkMs = reader.ReadInt32();
                        break;
                    case (2 << 3) | Varint:
                        limits.MaxMessageBytes = reader.ReadInt32();
                        break;
                    case (3 << 3) | Varint:
                        limits.MaxGapMs = reader.ReadInt32();
                        break;
                    case (4 << 3) | Varint:
                        limits.WriteDeadlineMs = reader.ReadInt32();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            return limits;
        }

        private static LatencyPresetInfo ReadPreset(ReadOnlySpan<byte> message)
        {
            int preset = 0;
            long latency = 0;
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Varint:
                        preset = reader.ReadInt32();
                        break;
                    case (2 << 3) | Varint:
                        latency = reader.ReadInt64();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            return new LatencyPresetInfo((LatencyPreset)preset, latency);
        }

        private static void ReadPackedInts(ReadOnlySpan<byte> packed, List<int> values)
        {
            var reader = new ProtoReader(packed);
            while (reader.HasMore)
            {
                values.Add(reader.ReadInt32());
            }
        }

        private void ReadFrames(ReadOnlySpan<byte> message, IResponseSink sink)
        {
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                if (tag == ((1 << 3) | Bytes))
                {
                    ReadFrame(reader.ReadBytes(), sink);
                }
                else
                {
                    reader.Skip(tag);
                }
            }
        }

        private void ReadFrame(ReadOnlySpan<byte> message, IResponseSink sink)
        {
            long index = 0;
            long timeUs = 0;
            int count = 0;
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Varint:
                        index = reader.ReadInt64();
                        break;
                    case (2 << 3) | Varint:
                        timeUs = reader.ReadInt64();
                        break;
                    case (3 << 3) | Bytes:
                    case (3 << 3) | Fixed32:
                        count = reader.ReadFloats(tag, weights, count);
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            sink.OnFrame(index, timeUs, new ReadOnlySpan<float>(weights, 0, count));
        }

        private static void ReadEvent(ReadOnlySpan<byte> message, IResponseSink sink)
        {
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Bytes:
                        sink.OnEvent(EventDecoder.IdentityMatched(reader.ReadBytes()));
                        break;
                    case (2 << 3) | Bytes:
                        sink.OnEvent(EventDecoder.Gap(reader.ReadBytes()));
                        break;
                    case (3 << 3) | Bytes:
                        sink.OnEvent(EventDecoder.Draining(reader.ReadBytes()));
                        break;
                    case (4 << 3) | Bytes:
                        sink.OnEvent(EventDecoder.Warning(reader.ReadBytes()));
                        break;
                    case (5 << 3) | Bytes:
                        byte[] token = EventDecoder.ResumePoint(reader.ReadBytes(), out long frameIndex);
                        sink.OnResumePoint(token, frameIndex);
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }
        }
    }
}
