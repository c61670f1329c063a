// Somebody who speaks the demo's sentence again and again into a session, at a microphone's pace.
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace LiveTalker.Tests
{
    /// <summary>Writes audio in real time on a thread of its own.</summary>
    internal sealed class Speaker : IDisposable
    {
        private const int ChunkMs = 10;

        private readonly FaceSession session;
        private readonly float[] clip = Python.Clip();
        private readonly Thread thread;
        private volatile bool stop;

        public Speaker(FaceSession session)
        {
            this.session = session;
            Began = MonotonicClock.Now;
            thread = new Thread(Speak) { IsBackground = true };
            thread.Start();
        }

        /// <summary>When sample 0 was written, on <see cref="MonotonicClock"/>.</summary>
        public double Began { get; }

        public void Dispose()
        {
            stop = true;
            thread.Join();
        }

        private void Speak()
        {
            int chunk = session.Config.SampleRate * ChunkMs / 1000;
            var samples = new float[chunk];
            long position = 0;
            while (!stop)
            {
                long due = (long)((MonotonicClock.Now - Began) * session.Config.SampleRate);
                while (position + chunk <= due)
                {
                    for (int i = 0; i < chunk; i++)
                    {
                        samples[i] = clip[(position + i) % clip.Length];
                    }

                    session.Write(samples);
                    position += chunk;
                }

                Thread.Sleep(ChunkMs / 2);
            }
        }
    }

    /// <summary>Reads a session's frames as they come and checks that they never repeat or go back.</summary>
    internal sealed class Listener
    {
        private readonly FaceSession session;
        private readonly float[] face = new float[Arkit.Count];

        public Listener(FaceSession session)
        {
            this.session = session;
        }

        public List<long> Indexes { get; } = new List<long>();

        public List<double> Arrivals { get; } = new List<double>();

        public List<float[]> Faces { get; } = new List<float[]>();

        public List<SessionEvent> Events { get; } = new List<SessionEvent>();

        /// <summary>Listens until a condition holds; false if it did not in time.</summary>
        public async Task<bool> UntilAsync(Func<bool> condition, double seconds = 60)
        {
            double end = MonotonicClock.Now + seconds;
            while (true)
            {
                Read();
                if (condition())
                {
                    return true;
                }

                if (MonotonicClock.Now > end)
                {
                    return false;
                }

                await Task.Delay(2);
            }
        }

        private void Read()
        {
            while (session.TryReadFrame(out FrameHeader header, face))
            {
                if (Indexes.Count > 0)
                {
                    NUnit.Framework.Assert.Greater(header.Index, Indexes[Indexes.Count - 1], "a frame repeated or went back");
                }

                Indexes.Add(header.Index);
                Arrivals.Add(header.ArrivalSeconds);
                Faces.Add((float[])face.Clone());
            }

            while (session.TryReadEvent(out SessionEvent occurred))
            {
                Events.Add(occurred);
            }
        }
    }
}
