// The face that belongs to a position on the audio, from frames that come early, late, in bursts or not at all.
using System;

namespace LiveTalker
{
    /// <summary>What a sample of a <see cref="JitterBuffer"/> shows.</summary>
    public enum PresentationState
    {
        /// <summary>No frame belongs there: the face is at rest, or on its way.</summary>
        Resting,

        /// <summary>Between two frames.</summary>
        Playing,

        /// <summary>The next frame is missing: the last one stays.</summary>
        Holding,

        /// <summary>It has been missing for long: the last one fades to rest.</summary>
        Easing,
    }

    /// <summary>What became of a frame given to a <see cref="JitterBuffer"/>.</summary>
    public enum PushResult
    {
        /// <summary>It will be shown in time.</summary>
        Accepted,

        /// <summary>The playhead was past it already: if it is the newest, it is held.</summary>
        Late,

        /// <summary>Its index or time is not above all before it, or a flush had ruled it out.</summary>
        Dropped,

        /// <summary>Every slot holds a frame yet to be shown. Push it again after a sample.</summary>
        Full,
    }

    /// <summary>Frames in, in whatever rhythm the network has; the face at the audio's position out. One thread at a time.</summary>
    /// <remarks>
    /// The playhead is the audio's position less a delay, which adapts to how late frames come. Nothing is allocated after
    /// construction. Specified in docs/presentation.md; tested with the vectors that the Python and C++ clients share.
    /// </remarks>
    public sealed class JitterBuffer
    {
        private const long HoldUs = 150_000;
        private const double EaseSeconds = 0.35;
        private const double SlewPerSecond = 6.0;
        private const double LongestStepSeconds = 1.0 / 30.0;
        private const double JumpSeconds = 0.1;
        private const double Grow = 0.2;
        private const double Shrink = 0.005;
        private const double LongestWaitSeconds = 0.1;
        private const double Pace = 0.2;

        // A 53rd coefficient is 1 in every frame and 0 at rest: it becomes the presence.
        private const int Width = Arkit.Count + 1;

        private readonly double period;
        private readonly double floor;
        private readonly double max;
        private readonly double[] poses;
        private readonly long[] times;
        private readonly double[] output = new double[Width];
        private readonly double[] target = new double[Width];

        private int first;
        private int count;
        private long lastIndex;
        private long lastTime;
        private double lastArrival;
        private double aim;
        private double lastAudio;
        private double lastLocal = double.NaN;
        private bool settled;

        /// <param name="fps">The stream's frames per second.</param>
        /// <param name="floorSeconds">
        /// Least delay. Live: the algorithmic latency and what the network usually takes. 0 where the audio itself is played
        /// late enough for its frames.
        /// </param>
        /// <param name="maxSeconds">Greatest delay; NaN means half a second more than the least.</param>
        /// <param name="capacity">Frames held at most, at least 2.</param>
        /// <exception cref="ArgumentException">An argument makes no sense.</exception>
        public JitterBuffer(int fps, double floorSeconds = 0, double maxSeconds = double.NaN, int capacity = 256)
        {
            double maximum = double.IsNaN(maxSeconds) ? floorSeconds + 0.5 : maxSeconds;
            if (fps < 1 || capacity < 2 || !(floorSeconds >= 0) || !(floorSeconds <= maximum) || double.IsInfinity(maximum))
            {
                throw new ArgumentException(
                    "A jitter buffer needs fps of 1 or more, a capacity of 2 or more and 0 <= floor <= max, "
                    + $"not {fps}, {capacity}, {floorSeconds} and {maximum}.");
            }

            period = 1.0 / fps;
            floor = floorSeconds;
            max = maximum;
            poses = new double[capacity * Width];
            times = new long[capacity];
            Reset();
        }

        /// <summary>What the last sample showed.</summary>
        public PresentationState State { get; private set; }

        /// <summary>How far the playhead is behind the audio, seconds.</summary>
        public double DelaySeconds { get; private set; }

        /// <summary>The instant the last sample showed, seconds since the stream's sample 0; NaN if there was none.</summary>
        public double PlayheadSeconds { get; private set; }

        /// <summary>How far the last sample was from rest, 0 to 1, for what moves with the face: head, gaze.</summary>
        public float Presence => (float)output[Arkit.Count];

        /// <summary>Frames held now.</summary>
        public int Buffered => count;

        /// <summary>Makes ready for another stream: forgets frames, indexes and delay. The face goes to rest from where it is.</summary>
        public void Reset()
        {
            first = 0;
            count = 0;
            lastIndex = -1;
            lastTime = -1;
            lastArrival = double.NaN;
            aim = floor;
            lastAudio = double.NaN;
            settled = false;
            State = PresentationState.Resting;
            DelaySeconds = floor;
            PlayheadSeconds = double.NaN;
        }

        /// <summary>Takes a frame.</summary>
        /// <param name="index">Its number in the stream.</param>
        /// <param name="timeUs">Its instant on the audio, microseconds.</param>
        /// <param name="weights">The 52 coefficients.</param>
        /// <param name="arrivedSeconds">
        /// Where the audio was when the frame arrived; NaN if the clock was not running, and then the frame says nothing of
        /// the network.
        /// </param>
        /// <exception cref="ArgumentException">The weights are not 52.</exception>
        public PushResult Push(long index, long timeUs, ReadOnlySpan<float> weights, double arrivedSeconds = double.NaN)
        {
            if (weights.Length != Arkit.Count)
            {
                throw new ArgumentException($"A frame has {Arkit.Count} weights, not {weights.Length}.", nameof(weights));
            }

            if (index <= lastIndex || timeUs <= lastTime)
            {
                return PushResult.Dropped;
            }

            if (count == times.Length)
            {
                return PushResult.Full;
            }

            double time = timeUs / 1e6;
            if (!double.IsNaN(arrivedSeconds))
            {
                Learn(arrivedSeconds - time + period, arrivedSeconds);
            }

            lastIndex = index;
            lastTime = timeUs;
            int slot = (first + count) % times.Length;
            int at = slot * Width;
            for (int i = 0; i < Arkit.Count; i++)
            {
                poses[at + i] = weights[i];
            }

            poses[at + Arkit.Count] = 1.0;
            times[slot] = timeUs;
            count++;
            return time < PlayheadSeconds ? PushResult.Late : PushResult.Accepted;
        }

        /// <summary>Barge-in: drops what is not shown yet, and the face eases to rest from where it is.</summary>
        /// <param name="untilUs">
        /// End of the audio sent so far, microseconds: frames before it that are still under way are dropped when they come.
        /// </param>
        public void Flush(long untilUs = 0)
        {
            first = 0;
            count = 0;
            lastTime = Math.Max(lastTime, untilUs - 1);
            if (!double.IsNaN(PlayheadSeconds))
            {
                // What is shown becomes a frame that has been held long enough.
                Array.Copy(output, poses, Width);
                times[0] = (long)Math.Floor(PlayheadSeconds * 1e6) - HoldUs;
                count = 1;
            }
        }

        /// <summary>Gives the face for now.</summary>
        /// <param name="audioSeconds">Where the audio is, seconds since the stream's sample 0; NaN if the clock is not running.</param>
        /// <param name="localSeconds">The local monotonic clock, seconds.</param>
        /// <param name="face">Receives the 52 coefficients.</param>
        public void Sample(double audioSeconds, double localSeconds, Span<float> face)
        {
            double passed = localSeconds - lastLocal;
            passed = passed > 0 ? passed : 0; // also if there was no sample before
            lastLocal = localSeconds;
            MovePlayhead(audioSeconds);
            AimPose();
            if (State != PresentationState.Playing)
            {
                settled = false;
            }

            if (settled)
            {
                Array.Copy(target, output, Width);
            }
            else
            {
                MoveOutput(SlewPerSecond * Math.Min(passed, LongestStepSeconds));
            }

            for (int i = 0; i < Arkit.Count; i++)
            {
                face[i] = (float)output[i];
            }
        }

        private void MoveOutput(double step)
        {
            bool near = true;
            for (int i = 0; i < Width; i++)
            {
                double move = target[i] - output[i];
                if (Math.Abs(move) > step)
                {
                    near = false;
                    move = move > 0 ? step : -step;
                }

                output[i] += move;
            }

            settled = near && State == PresentationState.Playing;
        }

        // Moves the delay that is aimed at toward what a frame would have needed to be shown in time.
        private void Learn(double need, double arrivedSeconds)
        {
            need = Math.Max(floor, Math.Min(max, need));
            double waited = arrivedSeconds - lastArrival;
            waited = waited > 0 ? Math.Min(waited, LongestWaitSeconds) : 0; // also if none arrived before
            aim += Math.Max(-Shrink * waited, Math.Min(Grow * waited, need - aim));
            lastArrival = arrivedSeconds;
        }

        // Moves the playhead to where the audio is less the delay, and notices whether it jumped.
        private void MovePlayhead(double audioSeconds)
        {
            double passed = audioSeconds - lastAudio;
            if (passed > 0)
            {
                DelaySeconds += Math.Max(-Pace * passed, Math.Min(Pace * passed, aim - DelaySeconds));
            }

            double playhead = audioSeconds - DelaySeconds;
            double moved = playhead - PlayheadSeconds;
            if (!(moved >= 0 && moved <= JumpSeconds))
            {
                settled = false;
            }

            lastAudio = audioSeconds;
            PlayheadSeconds = playhead;
        }

        // Finds the pose that belongs to the playhead, and the state.
        private void AimPose()
        {
            int capacity = times.Length;
            while (count >= 2 && times[(first + 1) % capacity] / 1e6 <= PlayheadSeconds)
            {
                first = (first + 1) % capacity;
                count--;
            }

            int pose = first * Width;
            long time = times[first];
            if (count == 0 || !(PlayheadSeconds >= time / 1e6))
            {
                Rest();
                return;
            }

            double since = PlayheadSeconds - time / 1e6;
            if (count >= 2)
            {
                int following = (first + 1) % capacity;
                long interval = times[following] - time;
                if (interval <= HoldUs)
                {
                    State = PresentationState.Playing;
                    Interpolate(pose, following * Width, since / (interval / 1e6));
                    return;
                }
            }

            double eased = (since - HoldUs / 1e6) / EaseSeconds;
            if (eased < 0)
            {
                State = PresentationState.Holding;
                Array.Copy(poses, pose, target, 0, Width);
            }
            else if (eased < 1)
            {
                State = PresentationState.Easing;
                double kept = 1 - eased * eased * (3 - 2 * eased);
                for (int i = 0; i < Width; i++)
                {
                    target[i] = poses[pose + i] * kept;
                }
            }
            else
            {
                Rest();
            }
        }

        private void Interpolate(int from, int to, double share)
        {
            for (int i = 0; i < Width; i++)
            {
                target[i] = (poses[to + i] - poses[from + i]) * share + poses[from + i];
            }
        }

        private void Rest()
        {
            State = PresentationState.Resting;
            Array.Clear(target, 0, Width);
        }
    }
}
