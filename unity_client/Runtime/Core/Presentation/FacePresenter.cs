// Ties a session to the audio's clock: what a game asks for a face, once per rendered frame.
using System;

namespace LiveTalker
{
    /// <summary>Moves a session's frames into a jitter buffer and samples it on the audio's clock. One thread at a time.</summary>
    /// <remarks>No method waits or allocates.</remarks>
    public sealed class FacePresenter
    {
        private readonly FaceSession session;
        private readonly float[] arriving = new float[Arkit.Count];
        private FrameHeader waiting;
        private bool isWaiting;

        /// <param name="session">Whose frames to show.</param>
        /// <param name="floorSeconds">Least delay of the face behind the audio's clock; see <see cref="JitterBuffer"/>.</param>
        /// <param name="maxSeconds">Greatest delay; NaN means half a second more than the least.</param>
        public FacePresenter(FaceSession session, double floorSeconds, double maxSeconds = double.NaN)
        {
            this.session = session ?? throw new ArgumentNullException(nameof(session));
            Buffer = new JitterBuffer(session.Config.FrameRate, floorSeconds, maxSeconds);
        }

        /// <summary>
        /// The least delay that makes sense for a face that follows a live microphone: the model's look-ahead, one frame, and
        /// 60 ms for network and server. What more it takes, the buffer finds out.
        /// </summary>
        public static double LiveFloorSeconds(SessionConfig config)
        {
            double lookAhead = config.Latency == LatencyPreset.Low ? 0.04 : config.Latency == LatencyPreset.Quality ? 0.16 : 0.08;
            double between = config.FrameRate == 60 ? 1.0 / 60 : 0; // every other frame lies between two
            return lookAhead + between + (1.0 / config.FrameRate) + 0.06;
        }

        /// <summary>Where the audio is; give it an observation whenever the sound device says so.</summary>
        public AudioClock Clock { get; } = new AudioClock();

        /// <summary>The frames on their way to the screen, and what the last sample showed.</summary>
        public JitterBuffer Buffer { get; }

        /// <summary>Frames that arrived too late to be shown in time, since the beginning.</summary>
        public long LateFrames { get; private set; }

        /// <summary>Gives the face for now.</summary>
        /// <param name="localSeconds">The time on <see cref="MonotonicClock"/>.</param>
        /// <param name="face">Receives the 52 coefficients in the order of <see cref="Arkit.Names"/>.</param>
        public void Sample(double localSeconds, Span<float> face)
        {
            Receive();
            Buffer.Sample(Clock.Position(localSeconds), localSeconds, face);
        }

        /// <summary>The character was interrupted: the session and what is not shown yet are flushed, the face eases to rest.</summary>
        public void Interrupt()
        {
            session.Flush();
            Buffer.Flush(session.WrittenSamples * 1_000_000 / session.Config.SampleRate);
        }

        private void Receive()
        {
            while (isWaiting || session.TryReadFrame(out waiting, arriving))
            {
                long timeUs = waiting.Index * 1_000_000 / session.Config.FrameRate;
                PushResult result = Buffer.Push(waiting.Index, timeUs, arriving, Clock.Position(waiting.ArrivalSeconds));
                isWaiting = result == PushResult.Full;
                if (isWaiting)
                {
                    return;
                }

                if (result == PushResult.Late)
                {
                    LateFrames++;
                }
            }
        }
    }
}
