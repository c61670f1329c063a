// Where a stream's audio is by now, from the times at which a sound device said so: no steps, no drift.
using System;

namespace LiveTalker
{
    /// <summary>Maps a local monotonic clock to the position on a stream's audio. One thread at a time.</summary>
    /// <remarks>
    /// A first-order tracking loop: each observation's error is made good as a slightly other pace over two seconds, never
    /// as a step. Only an error that is too large for that, and lasts, makes the clock jump. Specified in
    /// docs/presentation.md; tested with the vectors that the Python and C++ clients share.
    /// </remarks>
    public sealed class AudioClock
    {
        private const double SettleSeconds = 2.0;
        private const double ErrorLimitSeconds = 0.1;
        private const double JumpSeconds = 0.25;
        private const double DoubtSeconds = 0.1;

        private double local;
        private double audio;
        private double slew;
        private double doubtSince = double.NaN;

        /// <summary>Whether there was an observation since the last reset.</summary>
        public bool IsRunning { get; private set; }

        /// <summary>Stops the clock and forgets everything; for where playback stops, starts anew or is moved.</summary>
        public void Reset()
        {
            IsRunning = false;
            local = 0;
            audio = 0;
            slew = 0;
            doubtSince = double.NaN;
        }

        /// <summary>Where the audio is at a local time.</summary>
        /// <returns>Seconds since the stream's sample 0; NaN if the clock is not running.</returns>
        public double Position(double localSeconds)
        {
            if (!IsRunning)
            {
                return double.NaN;
            }

            double elapsed = localSeconds - local;
            return audio + elapsed + slew * Math.Min(elapsed, SettleSeconds);
        }

        /// <summary>Takes note that the audio was at a position at a local time; both in seconds.</summary>
        /// <returns>Whether the clock jumped there; the first observation counts as a jump.</returns>
        public bool Observe(double localSeconds, double audioSeconds)
        {
            if (!IsFinite(localSeconds) || !IsFinite(audioSeconds))
            {
                return false;
            }

            if (!IsRunning)
            {
                Jump(localSeconds, audioSeconds);
                return true;
            }

            if (localSeconds < local)
            {
                return false;
            }

            double predicted = Position(localSeconds);
            double error = audioSeconds - predicted;
            if (Math.Abs(error) > JumpSeconds)
            {
                if (double.IsNaN(doubtSince))
                {
                    doubtSince = localSeconds;
                }

                if (localSeconds - doubtSince < DoubtSeconds)
                {
                    return false;
                }

                Jump(localSeconds, audioSeconds);
                return true;
            }

            local = localSeconds;
            audio = predicted;
            slew = Math.Max(-ErrorLimitSeconds, Math.Min(ErrorLimitSeconds, error)) / SettleSeconds;
            doubtSince = double.NaN;
            return false;
        }

        private void Jump(double localSeconds, double audioSeconds)
        {
            IsRunning = true;
            local = localSeconds;
            audio = audioSeconds;
            slew = 0;
            doubtSince = double.NaN;
        }

        private static bool IsFinite(double value)
        {
            return !double.IsNaN(value) && !double.IsInfinity(value);
        }
    }
}
