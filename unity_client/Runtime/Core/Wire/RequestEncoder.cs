// Encodes what the client says: config or resume, audio, controls. Field numbers are those of face_animation.proto.
using System;
using System.Collections.Generic;

namespace LiveTalker.Wire
{
    /// <summary>Writes each kind of <c>AnimateRequest</c> as the real protobuf would, map entries sorted by name.</summary>
    internal static class RequestEncoder
    {
        private const int EncodingPcmS16Le = 1;

        public static void WriteConfig(ProtoWriter writer, SessionConfig config)
        {
            writer.Reset();
            int request = writer.Begin(1);
            writer.WriteInt(1, config.SampleRate);
            writer.WriteInt(2, EncodingPcmS16Le);
            writer.WriteInt(4, config.FrameRate);
            writer.WriteInt(5, (long)config.Latency);
            writer.WriteInt(6, (long)config.Delivery);
            WriteIdentity(writer, 7, config.Identity);
            writer.WriteInt(8, unchecked((long)config.Seed));
            if (config.Shaping != null)
            {
                int shaping = writer.Begin(9);
                WriteShaping(writer, config.Shaping);
                writer.End(shaping);
            }

            writer.WriteIntAlways(10, config.Blinks ? 1 : 0);
            writer.WriteIntAlways(11, config.IdleMotion ? 1 : 0);
            writer.End(request);
        }

        public static void WriteResume(ProtoWriter writer, ReadOnlySpan<byte> token, long nextFrame)
        {
            writer.Reset();
            int request = writer.Begin(4);
            writer.WriteBytes(1, token);
            writer.WriteInt(2, nextFrame);
            writer.End(request);
        }

        /// <summary>Encodes mono samples as 16-bit integers; what leaves -1 to 1 is cut off.</summary>
        public static void WriteAudio(ProtoWriter writer, long startSample, ReadOnlySpan<float> samples)
        {
            writer.Reset();
            int bytes = samples.Length * 2;
            int data = bytes > 0 ? 1 + ProtoWriter.VarintSize((ulong)bytes) + bytes : 0;
            writer.WriteTag(2, WireType.LengthDelimited);
            writer.WriteVarint((ulong)(1 + ProtoWriter.VarintSize((ulong)startSample) + data));
            writer.WriteIntAlways(1, startSample);
            if (bytes == 0)
            {
                return;
            }

            writer.WriteTag(2, WireType.LengthDelimited);
            writer.WriteVarint((ulong)bytes);
            Span<byte> pcm = writer.Take(bytes);
            for (int i = 0; i < samples.Length; i++)
            {
                int value = ToInt16(samples[i]);
                pcm[2 * i] = (byte)value;
                pcm[2 * i + 1] = (byte)(value >> 8);
            }
        }

        public static void WriteControl(ProtoWriter writer, Control control)
        {
            writer.Reset();
            int request = writer.Begin(3);
            int inner = writer.Begin((int)control.Kind);
            switch (control.Kind)
            {
                case ControlKind.RematchIdentity:
                    WriteIdentity(writer, 1, control.Identity);
                    break;
                case ControlKind.Shaping:
                    WriteShaping(writer, control.Shaping);
                    break;
            }

            writer.End(inner);
            writer.End(request);
        }

        private static int ToInt16(float sample)
        {
            float scaled = sample * 32768f;
            if (scaled >= 32767f)
            {
                return 32767;
            }

            if (scaled <= -32768f)
            {
                return -32768;
            }

            // A device that hands out NaN must not close the stream.
            return float.IsNaN(scaled) ? 0 : (int)(scaled + (scaled >= 0 ? 0.5f : -0.5f));
        }

        private static void WriteIdentity(ProtoWriter writer, int field, IdentityChoice identity)
        {
            if (identity == null || (identity.Pinned == null && identity.Blend == null))
            {
                return; // unset means automatic
            }

            int message = writer.Begin(field);
            if (identity.Pinned != null)
            {
                writer.WriteStringAlways(2, identity.Pinned);
            }
            else
            {
                int blend = writer.Begin(3);
                WriteMap(writer, 1, identity.Blend);
                writer.End(blend);
            }

            writer.End(message);
        }

        private static void WriteShaping(ProtoWriter writer, Shaping shaping)
        {
            WriteMap(writer, 1, shaping.Gains);
            WriteMap(writer, 2, shaping.Offsets);
            writer.WriteIntAlways(3, shaping.Clamp ? 1 : 0);
            WriteMap(writer, 4, shaping.Expression);
        }

        private static void WriteMap(ProtoWriter writer, int field, IReadOnlyDictionary<string, float> map)
        {
            var names = new List<string>(map.Keys);
            names.Sort(StringComparer.Ordinal);
            foreach (string name in names)
            {
                int entry = writer.Begin(field);
                writer.WriteStringAlways(1, name);
                writer.WriteFloatAlways(2, map[name]);
                writer.End(entry);
            }
        }
    }
}
