// Where the next call takes up the session: on the old stream's clock with a token, or on a new one with an offset.
using System;

namespace LiveTalker
{
    /// <summary>How a call begins. The session's clock is the call's clock plus the base.</summary>
    internal readonly struct StreamPlan
    {
        private const double ResentSeconds = 2.0;

        // Less than the contract's ten seconds, for what is written while the call is being opened.
        private const double LongestGapSeconds = 9.0;

        private StreamPlan(bool resumes, long startSample, long baseSamples, long baseFrames)
        {
            Resumes = resumes;
            StartSample = startSample;
            BaseSamples = baseSamples;
            BaseFrames = baseFrames;
        }

        /// <summary>Whether the call begins with a resume instead of the config.</summary>
        public bool Resumes { get; }

        /// <summary>First sample to send, on the session's clock.</summary>
        public long StartSample { get; }

        /// <summary>The session's sample that is the call's sample 0.</summary>
        public long BaseSamples { get; }

        /// <summary>The session's frame that is the call's frame 0.</summary>
        public long BaseFrames { get; }

        /// <summary>Plans the next call.</summary>
        /// <param name="ring">The audio that is left.</param>
        /// <param name="nextFrame">First frame that is still wanted.</param>
        /// <param name="sampleRate">Samples per second.</param>
        /// <param name="frameRate">Frames per second.</param>
        /// <param name="hasToken">Whether the broken stream gave a token.</param>
        /// <param name="tokenBase">The plan that the token's stream began with.</param>
        public static StreamPlan Make(
            AudioRing ring, long nextFrame, int sampleRate, int frameRate, bool hasToken, StreamPlan tokenBase)
        {
            long instant = nextFrame * sampleRate / frameRate;
            long wanted = Math.Max(0, instant - (long)(ResentSeconds * sampleRate));
            if (hasToken)
            {
                long start = Math.Max(tokenBase.BaseSamples, Math.Max(wanted, ring.Oldest));
                if (start - instant < LongestGapSeconds * sampleRate)
                {
                    return new StreamPlan(true, start, tokenBase.BaseSamples, tokenBase.BaseFrames);
                }
            }

            // A new stream begins on a whole second, where samples and frames of both clocks coincide: the last one that
            // leaves two seconds to hear again, or the first that is left.
            long seconds = wanted / sampleRate;
            long oldest = ring.Oldest;
            if (seconds * sampleRate < oldest)
            {
                seconds = (oldest + sampleRate - 1) / sampleRate;
            }

            return new StreamPlan(false, seconds * sampleRate, seconds * sampleRate, seconds * frameRate);
        }
    }
}
