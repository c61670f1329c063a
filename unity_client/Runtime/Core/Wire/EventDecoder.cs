// Decodes the messages inside the contract's Event.
using System;

namespace LiveTalker.Wire
{
    /// <summary>Makes <see cref="SessionEvent"/>s, still on the call's own clock, of the wire's events.</summary>
    internal static class EventDecoder
    {
        private const uint Varint = (uint)WireType.Varint;
        private const uint Bytes = (uint)WireType.LengthDelimited;
        private const uint Fixed32 = (uint)WireType.Fixed32;
        private const int AudioMissingCause = 1;
        private const int FlushCause = 4;

        public static SessionEvent IdentityMatched(ReadOnlySpan<byte> message)
        {
            string identity = "";
            float confidence = 0;
            long frame = 0;
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Bytes:
                        identity = reader.ReadString();
                        break;
                    case (2 << 3) | Fixed32:
                        confidence = reader.ReadFloat();
                        break;
                    case (3 << 3) | Varint:
                        frame = reader.ReadInt64();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            return new SessionEvent(SessionEventKind.IdentityMatched, $"The voice was matched with {identity}.")
            {
                Identity = identity,
                Confidence = confidence,
                FirstFrame = frame,
            };
        }

        public static SessionEvent Gap(ReadOnlySpan<byte> message)
        {
            int cause = 0;
            long startSample = 0;
            long sampleCount = 0;
            long firstFrame = 0;
            long frameCount = 0;
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Varint:
                        cause = reader.ReadInt32();
                        break;
                    case (2 << 3) | Varint:
                        startSample = reader.ReadInt64();
                        break;
                    case (3 << 3) | Varint:
                        sampleCount = reader.ReadInt64();
                        break;
                    case (4 << 3) | Varint:
                        firstFrame = reader.ReadInt64();
                        break;
                    case (5 << 3) | Varint:
                        frameCount = reader.ReadInt64();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            if (cause == AudioMissingCause)
            {
                return new SessionEvent(SessionEventKind.AudioMissing, $"{sampleCount} samples did not reach the server.")
                {
                    StartSample = startSample,
                    SampleCount = sampleCount,
                };
            }

            string why = cause == FlushCause ? "were flushed" : "were dropped because they were read too slowly";
            return new SessionEvent(SessionEventKind.FramesMissing, $"{frameCount} frames {why}.")
            {
                FirstFrame = firstFrame,
                FrameCount = frameCount,
            };
        }

        public static SessionEvent Draining(ReadOnlySpan<byte> message)
        {
            int grace = 0;
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                if (tag == ((1 << 3) | Varint))
                {
                    grace = reader.ReadInt32();
                }
                else
                {
                    reader.Skip(tag);
                }
            }

            return new SessionEvent(SessionEventKind.Draining, $"The server stops within {grace} ms.");
        }

        public static SessionEvent Warning(ReadOnlySpan<byte> message)
        {
            string reason = "";
            string text = "";
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Bytes:
                        reason = reader.ReadString();
                        break;
                    case (2 << 3) | Bytes:
                        text = reader.ReadString();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            return new SessionEvent(SessionEventKind.Warning, $"{reason}: {text}");
        }

        public static byte[] ResumePoint(ReadOnlySpan<byte> message, out long frameIndex)
        {
            byte[] token = new byte[0];
            frameIndex = 0;
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Bytes:
                        token = reader.ReadBytes().ToArray();
                        break;
                    case 2 << 3:
                        frameIndex = reader.ReadInt64();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            return token;
        }
    }
}
