// The process's steady clock, readable from every thread.
using System.Diagnostics;

namespace LiveTalker
{
    /// <summary>Seconds that never jump, for arrival times and for presenting on.</summary>
    public static class MonotonicClock
    {
        private static readonly double SecondsPerTick = 1.0 / Stopwatch.Frequency;

        /// <summary>Seconds since some fixed moment.</summary>
        public static double Now => Stopwatch.GetTimestamp() * SecondsPerTick;
    }
}
