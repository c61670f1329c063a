// Frames between the network's thread and the game's: copied into preallocated slots, so that neither waits for the other.
using System;

namespace LiveTalker
{
    /// <summary>What is known of a frame besides its coefficients.</summary>
    public readonly struct FrameHeader
    {
        internal FrameHeader(long index, double arrivalSeconds)
        {
            Index = index;
            ArrivalSeconds = arrivalSeconds;
        }

        /// <summary>Number of the frame on the session's clock; strictly increasing, with holes where frames were lost.</summary>
        public long Index { get; }

        /// <summary>When it arrived, on <see cref="MonotonicClock"/>.</summary>
        public double ArrivalSeconds { get; }
    }

    /// <summary>A first-in, first-out queue of faces of 52 coefficients.</summary>
    internal sealed class FrameQueue
    {
        private readonly object gate = new object();
        private readonly bool dropOldest;
        private float[] weights;
        private FrameHeader[] headers;
        private int first;
        private int count;

        /// <param name="capacity">Frames that fit.</param>
        /// <param name="dropOldest">True: a full queue drops its oldest frame. False: it grows.</param>
        public FrameQueue(int capacity, bool dropOldest)
        {
            this.dropOldest = dropOldest;
            weights = new float[capacity * Arkit.Count];
            headers = new FrameHeader[capacity];
        }

        public int Count
        {
            get
            {
                lock (gate)
                {
                    return count;
                }
            }
        }

        public void Add(FrameHeader header, ReadOnlySpan<float> face)
        {
            lock (gate)
            {
                if (count == headers.Length)
                {
                    if (dropOldest)
                    {
                        first = (first + 1) % headers.Length;
                        count--;
                    }
                    else
                    {
                        Grow();
                    }
                }

                int slot = (first + count) % headers.Length;
                headers[slot] = header;
                face.CopyTo(new Span<float>(weights, slot * Arkit.Count, Arkit.Count));
                count++;
            }
        }

        public bool TryTake(out FrameHeader header, Span<float> face)
        {
            lock (gate)
            {
                if (count == 0)
                {
                    header = default;
                    return false;
                }

                header = headers[first];
                new ReadOnlySpan<float>(weights, first * Arkit.Count, Arkit.Count).CopyTo(face);
                first = (first + 1) % headers.Length;
                count--;
                return true;
            }
        }

        private void Grow()
        {
            var moreHeaders = new FrameHeader[headers.Length * 2];
            var moreWeights = new float[weights.Length * 2];
            for (int i = 0; i < count; i++)
            {
                int slot = (first + i) % headers.Length;
                moreHeaders[i] = headers[slot];
                Array.Copy(weights, slot * Arkit.Count, moreWeights, i * Arkit.Count, Arkit.Count);
            }

            headers = moreHeaders;
            weights = moreWeights;
            first = 0;
        }
    }
}
