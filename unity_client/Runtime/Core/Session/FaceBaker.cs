// Animates a whole recording at once, for lines that are baked into animation clips.
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace LiveTalker
{
    /// <summary>A recording's face.</summary>
    public sealed class BakedFace
    {
        internal BakedFace(int frameRate, IReadOnlyList<float[]> frames)
        {
            FrameRate = frameRate;
            Frames = frames;
        }

        /// <summary>Frames per second.</summary>
        public int FrameRate { get; }

        /// <summary>Every frame's 52 coefficients; frame n stands at n / frame rate seconds of the audio.</summary>
        public IReadOnlyList<float[]> Frames { get; }

        /// <summary>One coefficient over time.</summary>
        public float[] Curve(int coefficient)
        {
            var curve = new float[Frames.Count];
            for (int n = 0; n < curve.Length; n++)
            {
                curve[n] = Frames[n][coefficient];
            }

            return curve;
        }
    }

    /// <summary>Sends a recording as fast as the server takes it and collects every frame.</summary>
    public static class FaceBaker
    {
        private const double ConnectSeconds = 15;
        private const int PollMs = 5;

        /// <summary>Bakes a recording.</summary>
        /// <param name="client">The connection.</param>
        /// <param name="mono">The audio, full scale -1 to 1.</param>
        /// <param name="config">What to make of it; its delivery becomes lossless.</param>
        /// <param name="progress">Told the share that is done, 0 to 1; may be null.</param>
        /// <param name="cancellation">Stops.</param>
        /// <exception cref="LiveTalkerException">The server refuses, or is not there for 15 seconds.</exception>
        /// <exception cref="OperationCanceledException">It was stopped.</exception>
        public static async Task<BakedFace> BakeAsync(
            LiveTalkerClient client, ReadOnlyMemory<float> mono, SessionConfig config, IProgress<float> progress, CancellationToken cancellation)
        {
            config.Delivery = Delivery.Lossless;
            long expected = (((long)mono.Length * config.FrameRate) + config.SampleRate - 1) / config.SampleRate;
            var frames = new List<float[]>((int)expected);
            using (FaceSession session = client.StartSession(config))
            {
                var face = new float[Arkit.Count];
                double connected = MonotonicClock.Now;
                int written = 0;
                while (true)
                {
                    bool over = session.Completion.IsCompleted; // asked before reading, so that no last frame is missed
                    written += session.Write(mono.Span.Slice(written));
                    if (written == mono.Length)
                    {
                        session.Complete();
                    }

                    while (session.TryReadFrame(out _, face))
                    {
                        frames.Add((float[])face.Clone());
                    }

                    if (over)
                    {
                        break;
                    }

                    connected = session.State == SessionState.Streaming ? MonotonicClock.Now : connected;
                    if (session.LastError != null && MonotonicClock.Now - connected > ConnectSeconds)
                    {
                        throw session.LastError;
                    }

                    progress?.Report(expected > 0 ? (float)frames.Count / expected : 1);
                    await Task.Delay(PollMs, cancellation).ConfigureAwait(false);
                }

                if (session.State != SessionState.Completed)
                {
                    cancellation.ThrowIfCancellationRequested();
                    throw session.LastError ?? (Exception)new ObjectDisposedException(nameof(LiveTalkerClient));
                }
            }

            return new BakedFace(config.FrameRate, frames);
        }
    }
}
