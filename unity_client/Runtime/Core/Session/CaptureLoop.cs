// Where a device is in the loop that it records into, and how much it has overwritten before anybody looked.
using System;

namespace LiveTalker
{
    /// <summary>Follows a device around a loop of samples: it tells only its place in it, not how often it went round.</summary>
    public sealed class CaptureLoop
    {
        private readonly int length;
        private readonly int rate;
        private double looked;

        /// <summary>A loop that a device begins to fill now, from its first sample.</summary>
        /// <param name="length">Samples of the loop.</param>
        /// <param name="rate">Samples per second.</param>
        /// <param name="now">Seconds of any one clock.</param>
        public CaptureLoop(int length, int rate, double now)
        {
            this.length = length;
            this.rate = rate;
            looked = now;
        }

        /// <summary>Where the next sample to take is.</summary>
        public int Position { get; private set; }

        /// <summary>Samples that can be taken.</summary>
        public int Available { get; private set; }

        /// <summary>Notes where the device is.</summary>
        /// <param name="now">Seconds of the same clock.</param>
        /// <param name="position">Sample of the loop that it writes next.</param>
        /// <returns>Samples that were overwritten since the last time: whole rounds, before those that can be taken.</returns>
        public long Observe(double now, int position)
        {
            int before = Available;
            Available = (((position - Position) % length) + length) % length;
            double missed = ((now - looked) * rate) - (Available - before);
            looked = now;
            return Math.Max(0, (long)Math.Round(missed / length)) * length;
        }

        /// <summary>Samples were taken.</summary>
        public void Take(int samples)
        {
            Position = (Position + samples) % length;
            Available -= samples;
        }
    }
}
