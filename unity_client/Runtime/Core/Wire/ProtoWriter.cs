// Writes protobuf's wire format, and gRPC's five-byte prefix before it, into one buffer that is used again and again.
using System;
using System.Text;

namespace LiveTalker.Wire
{
    /// <summary>A growing buffer that holds one gRPC message at a time: prefix and protobuf bytes.</summary>
    /// <remarks>Nothing is allocated once the buffer has grown to the largest message. Not thread-safe.</remarks>
    internal sealed class ProtoWriter
    {
        private const int PrefixBytes = 5;

        private byte[] buffer;
        private int position = PrefixBytes;

        public ProtoWriter(int capacity = 1024)
        {
            buffer = new byte[Math.Max(capacity, PrefixBytes)];
        }

        /// <summary>The protobuf bytes written so far, without the prefix.</summary>
        public ReadOnlySpan<byte> Message => new ReadOnlySpan<byte>(buffer, PrefixBytes, position - PrefixBytes);

        /// <summary>Starts the next message.</summary>
        public void Reset()
        {
            position = PrefixBytes;
        }

        /// <summary>The prefix (not compressed, length) and the message, valid until the next <see cref="Reset"/>.</summary>
        public ReadOnlyMemory<byte> Finish()
        {
            int length = position - PrefixBytes;
            buffer[0] = 0;
            buffer[1] = (byte)(length >> 24);
            buffer[2] = (byte)(length >> 16);
            buffer[3] = (byte)(length >> 8);
            buffer[4] = (byte)length;
            return new ReadOnlyMemory<byte>(buffer, 0, position);
        }

        public void WriteTag(int field, WireType type)
        {
            WriteVarint(((ulong)field << 3) | (uint)type);
        }

        public void WriteVarint(ulong value)
        {
            Reserve(10);
            while (value >= 0x80)
            {
                buffer[position++] = (byte)(value | 0x80);
                value >>= 7;
            }

            buffer[position++] = (byte)value;
        }

        /// <summary>An int32, int64 or enum; as proto3 does, a zero is left out.</summary>
        public void WriteInt(int field, long value)
        {
            if (value != 0)
            {
                WriteIntAlways(field, value);
            }
        }

        /// <summary>An integer with presence (<c>optional</c>), written even if zero.</summary>
        public void WriteIntAlways(int field, long value)
        {
            WriteTag(field, WireType.Varint);
            WriteVarint((ulong)value);
        }

        public void WriteFloatAlways(int field, float value)
        {
            WriteTag(field, WireType.Fixed32);
            Reserve(4);
            int bits = BitConverter.SingleToInt32Bits(value);
            buffer[position++] = (byte)bits;
            buffer[position++] = (byte)(bits >> 8);
            buffer[position++] = (byte)(bits >> 16);
            buffer[position++] = (byte)(bits >> 24);
        }

        public void WriteStringAlways(int field, string value)
        {
            WriteTag(field, WireType.LengthDelimited);
            int count = Encoding.UTF8.GetByteCount(value);
            WriteVarint((ulong)count);
            Reserve(count);
            position += Encoding.UTF8.GetBytes(value, 0, value.Length, buffer, position);
        }

        public void WriteBytes(int field, ReadOnlySpan<byte> value)
        {
            if (value.Length > 0)
            {
                WriteTag(field, WireType.LengthDelimited);
                WriteVarint((ulong)value.Length);
                value.CopyTo(Take(value.Length));
            }
        }

        /// <summary>The next bytes of the message, for the caller to fill.</summary>
        public Span<byte> Take(int count)
        {
            Reserve(count);
            var span = new Span<byte>(buffer, position, count);
            position += count;
            return span;
        }

        /// <summary>Begins a message within the message; pass what it returns to <see cref="End"/>.</summary>
        public int Begin(int field)
        {
            WriteTag(field, WireType.LengthDelimited);
            return position;
        }

        /// <summary>Ends a message within the message: its length, known only now, goes before its bytes.</summary>
        public void End(int mark)
        {
            int length = position - mark;
            int prefix = VarintSize((ulong)length);
            Reserve(prefix);
            Buffer.BlockCopy(buffer, mark, buffer, mark + prefix, length);
            position = mark;
            WriteVarint((ulong)length);
            position += length;
        }

        public static int VarintSize(ulong value)
        {
            int size = 1;
            while (value >= 0x80)
            {
                value >>= 7;
                size++;
            }

            return size;
        }

        private void Reserve(int count)
        {
            if (buffer.Length - position < count)
            {
                Array.Resize(ref buffer, Math.Max(buffer.Length * 2, position + count));
            }
        }
    }
}
