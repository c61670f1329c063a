// Decodes grpc-status-details-bin: google.rpc.Status with ErrorInfo, BadRequest and RetryInfo (AIP-193).
using System;
using LiveTalker.Wire;

namespace LiveTalker.Transport
{
    /// <summary>What the details of an error say.</summary>
    internal sealed class StatusDetails
    {
        private const uint Varint = (uint)WireType.Varint;
        private const uint Bytes = (uint)WireType.LengthDelimited;
        private const string TypePrefix = "type.googleapis.com/";

        public string Reason { get; private set; } = "";

        public string Field { get; private set; } = "";

        public TimeSpan? RetryAfter { get; private set; }

        /// <summary>Decodes the header's value. Details that cannot be read count as none: the status itself remains.</summary>
        public static StatusDetails Parse(string base64)
        {
            var details = new StatusDetails();
            if (string.IsNullOrEmpty(base64))
            {
                return details;
            }

            try
            {
                details.ReadStatus(Convert.FromBase64String(Pad(base64)));
            }
            catch (FormatException)
            {
            }
            catch (WireException)
            {
            }

            return details;
        }

        // gRPC allows binary headers without their padding.
        private static string Pad(string base64)
        {
            switch (base64.Length % 4)
            {
                case 2:
                    return base64 + "==";
                case 3:
                    return base64 + "=";
                default:
                    return base64;
            }
        }

        private void ReadStatus(ReadOnlySpan<byte> message)
        {
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                if (tag == ((3 << 3) | Bytes))
                {
                    ReadAny(reader.ReadBytes());
                }
                else
                {
                    reader.Skip(tag);
                }
            }
        }

        private void ReadAny(ReadOnlySpan<byte> message)
        {
            string type = "";
            ReadOnlySpan<byte> value = default;
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Bytes:
                        type = reader.ReadString();
                        break;
                    case (2 << 3) | Bytes:
                        value = reader.ReadBytes();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            switch (type)
            {
                case TypePrefix + "google.rpc.ErrorInfo":
                    Reason = ReadStringField(value, 1);
                    break;
                case TypePrefix + "google.rpc.BadRequest":
                    ReadBadRequest(value);
                    break;
                case TypePrefix + "google.rpc.RetryInfo":
                    ReadRetryInfo(value);
                    break;
            }
        }

        private static string ReadStringField(ReadOnlySpan<byte> message, int field)
        {
            string value = "";
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                if (tag == (((uint)field << 3) | Bytes))
                {
                    value = reader.ReadString();
                }
                else
                {
                    reader.Skip(tag);
                }
            }

            return value;
        }

        private void ReadBadRequest(ReadOnlySpan<byte> message)
        {
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                if (tag == ((1 << 3) | Bytes) && Field.Length == 0)
                {
                    Field = ReadStringField(reader.ReadBytes(), 1);
                }
                else
                {
                    reader.Skip(tag);
                }
            }
        }

        private void ReadRetryInfo(ReadOnlySpan<byte> message)
        {
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                if (tag == ((1 << 3) | Bytes))
                {
                    RetryAfter = ReadDuration(reader.ReadBytes());
                }
                else
                {
                    reader.Skip(tag);
                }
            }
        }

        private static TimeSpan ReadDuration(ReadOnlySpan<byte> message)
        {
            long seconds = 0;
            int nanos = 0;
            var reader = new ProtoReader(message);
            while (reader.TryReadTag(out uint tag))
            {
                switch (tag)
                {
                    case (1 << 3) | Varint:
                        seconds = reader.ReadInt64();
                        break;
                    case (2 << 3) | Varint:
                        nanos = reader.ReadInt32();
                        break;
                    default:
                        reader.Skip(tag);
                        break;
                }
            }

            // A day is as good as for ever; a TimeSpan would overflow long before an int64 of seconds does.
            double total = Math.Max(0, Math.Min(86400, seconds + nanos * 1e-9));
            return TimeSpan.FromSeconds(total);
        }
    }
}
