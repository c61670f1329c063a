// Reads protobuf's wire format from a span, without allocating.
using System;
using System.Buffers.Binary;
using System.Text;

namespace LiveTalker.Wire
{
    /// <summary>How a field's value is written.</summary>
    internal enum WireType
    {
        Varint = 0,
        Fixed64 = 1,
        LengthDelimited = 2,
        Fixed32 = 5,
    }

    /// <summary>The bytes are not what the contract says they are.</summary>
    internal sealed class WireException : Exception
    {
        public WireException(string message)
            : base(message)
        {
        }
    }

    /// <summary>A cursor over one message. Fields that nobody asks for are skipped, as protobuf demands.</summary>
    internal ref struct ProtoReader
    {
        private readonly ReadOnlySpan<byte> data;
        private int position;

        public ProtoReader(ReadOnlySpan<byte> data)
        {
            this.data = data;
            position = 0;
        }

        /// <summary>Whether bytes are left.</summary>
        public bool HasMore => position < data.Length;

        /// <summary>Moves on to the next field; false at the end of the message.</summary>
        /// <param name="tag">Field number and wire type in one, as on the wire: <c>field &lt;&lt; 3 | type</c>.</param>
        public bool TryReadTag(out uint tag)
        {
            tag = 0;
            if (position == data.Length)
            {
                return false;
            }

            ulong read = ReadVarint();
            if (read < 8 || read > uint.MaxValue)
            {
                throw new WireException("a field number is out of range");
            }

            tag = (uint)read;
            return true;
        }

        public ulong ReadVarint()
        {
            ulong value = 0;
            for (int shift = 0; shift < 70; shift += 7)
            {
                if (position == data.Length)
                {
                    throw Truncated();
                }

                byte next = data[position++];
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }

            throw new WireException("a varint is longer than ten bytes");
        }

        public long ReadInt64()
        {
            return (long)ReadVarint();
        }

        public int ReadInt32()
        {
            return (int)ReadVarint();
        }

        public float ReadFloat()
        {
            return BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
        }

        public ReadOnlySpan<byte> ReadBytes()
        {
            ulong length = ReadVarint();
            if (length > (ulong)(data.Length - position))
            {
                throw Truncated();
            }

            return Take((int)length);
        }

        public string ReadString()
        {
            return Encoding.UTF8.GetString(ReadBytes());
        }

        /// <summary>Reads a repeated float, packed or not, onto the end of <paramref name="values"/>.</summary>
        /// <returns>How many values are there now; those that find no room are dropped.</returns>
        public int ReadFloats(uint tag, float[] values, int count)
        {
            if ((tag & 7) == (uint)WireType.Fixed32)
            {
                float value = ReadFloat();
                if (count < values.Length)
                {
                    values[count++] = value;
                }

                return count;
            }

            ReadOnlySpan<byte> packed = ReadBytes();
            if (packed.Length % 4 != 0)
            {
                throw new WireException("packed floats are not a multiple of four bytes");
            }

            for (int at = 0; at < packed.Length && count < values.Length; at += 4)
            {
                values[count++] = BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt32LittleEndian(packed.Slice(at, 4)));
            }

            return count;
        }

        /// <summary>Skips the value of a field that is of no interest.</summary>
        public void Skip(uint tag)
        {
            switch ((WireType)(tag & 7))
            {
                case WireType.Varint:
                    ReadVarint();
                    break;
                case WireType.Fixed64:
                    Take(8);
                    break;
                case WireType.LengthDelimited:
                    ReadBytes();
                    break;
                case WireType.Fixed32:
                    Take(4);
                    break;
                default:
                    throw new WireException("unknown wire type");
            }
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (data.Length - position < count)
            {
                throw Truncated();
            }

            ReadOnlySpan<byte> taken = data.Slice(position, count);
            position += count;
            return taken;
        }

        private static WireException Truncated()
        {
            return new WireException("the message ends in the middle of a field");
        }
    }
}
