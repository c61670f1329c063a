// The last seconds of the voice, so that a broken stream can send them again.
using System;

namespace LiveTalker
{
    /// <summary>A ring of mono samples, addressed by their number since the session began. Safe for one writer and one reader.</summary>
    internal sealed class AudioRing
    {
        private readonly float[] samples;
        private readonly object gate = new object();
        private long written;

        public AudioRing(int capacity)
        {
            samples = new float[capacity];
        }

        public int Capacity => samples.Length;

        /// <summary>Samples written since the session began.</summary>
        public long Written
        {
            get
            {
                lock (gate)
                {
                    return written;
                }
            }
        }

        /// <summary>The oldest sample that is still here.</summary>
        public long Oldest
        {
            get
            {
                lock (gate)
                {
                    return Math.Max(0, written - samples.Length);
                }
            }
        }

        /// <summary>Appends samples; the oldest give way.</summary>
        public void Write(ReadOnlySpan<float> added)
        {
            lock (gate)
            {
                // What would be overwritten within this call need not be copied.
                int skipped = Math.Max(0, added.Length - samples.Length);
                ReadOnlySpan<float> kept = added.Slice(skipped);
                written += skipped;
                int at = (int)(written % samples.Length);
                int first = Math.Min(kept.Length, samples.Length - at);
                kept.Slice(0, first).CopyTo(new Span<float>(samples, at, first));
                kept.Slice(first).CopyTo(samples);
                written += kept.Length;
            }
        }

        /// <summary>Appends silence; the oldest samples give way.</summary>
        public void Skip(long count)
        {
            lock (gate)
            {
                written += Math.Max(0, count - samples.Length);
                for (long left = Math.Min(count, samples.Length); left > 0; left--)
                {
                    samples[(int)(written++ % samples.Length)] = 0;
                }
            }
        }

        /// <summary>Copies samples from a position on.</summary>
        /// <param name="from">The first sample wanted; moved up to the oldest one where that was overwritten.</param>
        /// <param name="target">Where to copy them.</param>
        /// <returns>How many samples were copied, 0 to the target's length.</returns>
        public int Read(ref long from, Span<float> target)
        {
            lock (gate)
            {
                from = Math.Max(from, Math.Max(0, written - samples.Length));
                int count = (int)Math.Max(0, Math.Min(target.Length, written - from));
                int at = (int)(from % samples.Length);
                int first = Math.Min(count, samples.Length - at);
                new ReadOnlySpan<float>(samples, at, first).CopyTo(target);
                new ReadOnlySpan<float>(samples, 0, count - first).CopyTo(target.Slice(first));
                return count;
            }
        }
    }
}
