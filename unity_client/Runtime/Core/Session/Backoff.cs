// How long to wait before the next attempt to connect.
using System;

namespace LiveTalker
{
    /// <summary>Waits of 0.1 s that double to 2 s, at most 0.25 s during an outage's first ten seconds, each 20 % more or less.</summary>
    internal sealed class Backoff
    {
        private const double First = 0.1;
        private const double Longest = 2.0;
        private const double LongestEarly = 0.25;
        private const double Early = 10.0;
        private const double Spread = 0.2;

        private readonly Random random;
        private double next = First;
        private double outageBegan = double.NaN;

        public Backoff(Random random)
        {
            this.random = random;
        }

        /// <summary>Frames have arrived: the next outage is a new one.</summary>
        public void Reset()
        {
            next = First;
            outageBegan = double.NaN;
        }

        /// <summary>The wait before the next attempt.</summary>
        /// <param name="now">Seconds of any one clock.</param>
        public TimeSpan Next(double now)
        {
            if (double.IsNaN(outageBegan))
            {
                outageBegan = now;
            }

            double wait = next;
            next = Math.Min(next * 2, Longest);
            if (now - outageBegan < Early)
            {
                wait = Math.Min(wait, LongestEarly);
            }

            return Spreaded(wait);
        }

        /// <summary>The wait that a full server asked for.</summary>
        public TimeSpan After(TimeSpan asked)
        {
            // Only ever later: everybody else was asked to come back at the same moment.
            return TimeSpan.FromSeconds(asked.TotalSeconds * (1 + Spread * random.NextDouble()));
        }

        private TimeSpan Spreaded(double wait)
        {
            return TimeSpan.FromSeconds(wait * (1 + Spread * (2 * random.NextDouble() - 1)));
        }
    }
}
