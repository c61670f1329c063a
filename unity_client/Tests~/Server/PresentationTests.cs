// Whole chain at real time: voice, bad network, server, session, jitter buffer, and a face 60 times a second.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class PresentationTests
    {
        private const int Fps = 60;

        [Test]
        public async Task FramesAreShownWithinHalfAFrameWith80MsOfJitter()
        {
            using (TestServer server = TestServer.Start())
            using (var network = new BadNetwork(server.Port) { Latency = TimeSpan.FromMilliseconds(10), Jitter = TimeSpan.FromMilliseconds(80) })
            using (LiveTalkerClient client = Net.Client(network.Address))
            {
                // The character's audio is played this late, as LiveTalkerAudioSource does.
                const double AudioDelay = 0.5;
                Shown[] shown = await PerformAsync(client, 12, audioDelay: AudioDelay, floor: 0, max: 0);
                Report(shown, out double withinHalfAFrame);
                Assert.GreaterOrEqual(withinHalfAFrame, 0.99);
            }
        }

        [Test]
        public async Task TheDelayAdaptsToTheNetworkAndThenFramesAreInTime()
        {
            using (TestServer server = TestServer.Start())
            using (var network = new BadNetwork(server.Port) { Latency = TimeSpan.FromMilliseconds(10), Jitter = TimeSpan.FromMilliseconds(80) })
            using (LiveTalkerClient client = Net.Client(network.Address))
            {
                Shown[] shown = await PerformAsync(client, 12, audioDelay: 0, floor: 0.097, max: double.NaN);
                Report(shown.Where(s => s.Seconds > 5).ToArray(), out double withinHalfAFrame);
                Console.WriteLine($"     the face is {shown.Last().Delay * 1000:0} ms behind the voice");
                Assert.GreaterOrEqual(withinHalfAFrame, 0.95);
                Assert.Less(shown.Last().Delay, 0.5);
            }
        }

        [Test]
        public async Task HalfASecondWithoutFramesEasesToRestAndBackWithoutAPop()
        {
            using (TestServer server = TestServer.Start())
            using (var network = new BadNetwork(server.Port))
            using (LiveTalkerClient client = Net.Client(network.Address))
            {
                var stalls = new Timer(_ => network.IsStalled = !network.IsStalled, null, 3000, 700);
                Shown[] shown = await PerformAsync(client, 10, audioDelay: 0.4, floor: 0, max: 0);
                stalls.Dispose();
                network.IsStalled = false;
                float step = 0;
                for (int n = 1; n < shown.Length; n++)
                {
                    for (int i = 0; i < Arkit.Count; i++)
                    {
                        // Per frame of 1/60 s, however late this machine woke the loop.
                        double frames = Math.Max(1, (shown[n].Seconds - shown[n - 1].Seconds) * 60);
                        bool isPlaying = shown[n].State == PresentationState.Playing && shown[n - 1].State == PresentationState.Playing;
                        float moved = Math.Abs(shown[n].Face[i] - shown[n - 1].Face[i]);
                        step = Math.Max(step, isPlaying ? 0 : (float)(moved / frames));
                    }
                }

                int resting = shown.Count(s => s.State == PresentationState.Easing || s.State == PresentationState.Resting);
                Console.WriteLine($"     largest step beside plain playing {step:0.000}; {resting} of {shown.Length} samples easing or at rest");
                Assert.LessOrEqual(step, 0.25f);
                Assert.Greater(resting, 10, "the stalls were long enough to be felt");
            }
        }

        [Test]
        public async Task ASlowNetworkDelaysButNeitherRepeatsNorReorders()
        {
            using (TestServer server = TestServer.Start())
            using (var network = new BadNetwork(server.Port) { BytesPerSecond = 14_000, Latency = TimeSpan.FromMilliseconds(50) })
            using (LiveTalkerClient client = Net.Client(network.Address))
            using (FaceSession session = client.StartSession(ReconnectTests.Live(30)))
            using (new Speaker(session))
            {
                // The voice is 32 kB/s: audio must be lost at the sender, and the frames of what arrives still come in order.
                var listener = new Listener(session);
                bool enough = await listener.UntilAsync(
                    () => listener.Indexes.Count > 100 && listener.Events.Any(e => e.Kind == SessionEventKind.AudioMissing), 120);
                Console.WriteLine($"     {listener.Indexes.Count} frames, the last is number {listener.Indexes.LastOrDefault()}; events: "
                    + string.Join(", ", listener.Events.GroupBy(e => e.Kind).Select(g => $"{g.Count()} {g.Key}")));
                Assert.IsTrue(enough, session.LastError?.Message);
                Assert.AreEqual(SessionState.Streaming, session.State);
            }
        }

        [Test]
        public void APresentedFrameAllocatesNothing()
        {
            using (TestServer server = TestServer.Start())
            using (LiveTalkerClient client = Net.Client(server.Address))
            using (FaceSession session = client.StartSession(ReconnectTests.Live(Fps)))
            {
                var presenter = new FacePresenter(session, 0.1);
                var map = new RetargetMap(Arkit.Names.Select(name => new RetargetBinding(name, name)), Arkit.Names);
                var smoother = new FaceSmoother { Seconds = 0.01f };
                var rest = new RestPose();
                var channels = new float[FaceChannels.Count];
                var shapes = new float[map.TargetCount];
                var mixer = new ShapeMixer(map.TargetCount);
                var head = new HeadMotion(1);
                float[] clip = Python.Clip();
                var chunk = new float[160];
                long position = 0;
                long allocated = 0;
                int presented = 0;
                long process = 0;
                double began = MonotonicClock.Now;
                while (presented < 600)
                {
                    double now = MonotonicClock.Now;
                    bool measured = now - began > 3; // by then everything is compiled and every buffer has its size
                    process = measured && presented == 0 ? GC.GetTotalAllocatedBytes(true) : process;
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    while (position < (now - began) * 16000)
                    {
                        clip.AsSpan((int)(position % (clip.Length - 160)), 160).CopyTo(chunk);
                        session.Write(chunk);
                        position += 160;
                    }

                    presenter.Clock.Observe(now, position / 16000.0);
                    presenter.Sample(now, channels.AsSpan(0, Arkit.Count));
                    rest.Process(channels, 1 / 60.0);
                    smoother.Process(channels, 1 / 60f);
                    FaceChannels.AddVisemes(channels);
                    map.Apply(channels, shapes);
                    for (int i = 0; i < shapes.Length; i++)
                    {
                        shapes[i] = mixer.Mix(i, shapes[i], shapes[i], ShapeMix.Add);
                    }

                    head.Sample(now, 1 / 60f, channels, presenter.Buffer.Presence, 1);
                    long after = GC.GetAllocatedBytesForCurrentThread();
                    if (measured)
                    {
                        allocated += after - before;
                        presented++;
                    }

                    Thread.Sleep(10);
                }

                process = GC.GetTotalAllocatedBytes(true) - process;
                Console.WriteLine($"     network included, the whole process allocates {process / (presented / 100.0) / 1024:0.0} KiB a second");
                Console.WriteLine($"     {allocated} bytes allocated over {presented} presented frames; state {presenter.Buffer.State}");
                Assert.AreEqual(0L, allocated);
                Assert.AreEqual(SessionState.Streaming, session.State);
                Assert.IsTrue(presenter.Buffer.Presence > 0.9f, "frames were shown");
            }
        }

        private static void Report(Shown[] shown, out double withinHalfAFrame)
        {
            Shown[] after = shown.Where(s => s.Seconds > 2).ToArray();
            withinHalfAFrame = after.Count(s => s.Error <= 0.5 / Fps) / (double)after.Length;
            double[] errors = after.Select(s => s.Error).OrderBy(e => e).ToArray();
            Console.WriteLine(
                $"     {after.Length} samples: {withinHalfAFrame:0.00%} within half a frame of their audio; error median "
                + $"{errors[errors.Length / 2] * 1000:0.000} ms, 99 % {errors[errors.Length * 99 / 100] * 1000:0.0} ms, worst {errors.Last() * 1000:0.0} ms");
        }

        // Speaks and shows in real time. The error of a sample is how far the shown pose is from that of its instant, in
        // time: found by looking where on the stream's own curves the shown face lies.
        private static async Task<Shown[]> PerformAsync(LiveTalkerClient client, double seconds, double audioDelay, double floor, double max)
        {
            var shown = new List<Shown>();
            using (FaceSession session = client.StartSession(ReconnectTests.Live(Fps)))
            using (var speaker = new Speaker(session))
            {
                var presenter = new FacePresenter(session, floor, max);
                double next = MonotonicClock.Now;
                var face = new float[Arkit.Count];
                while (MonotonicClock.Now - speaker.Began < seconds)
                {
                    double now = MonotonicClock.Now;
                    presenter.Clock.Observe(now, now - speaker.Began - audioDelay);
                    presenter.Sample(now, face);
                    shown.Add(new Shown
                    {
                        Seconds = now - speaker.Began,
                        Playhead = presenter.Buffer.PlayheadSeconds,
                        Delay = presenter.Buffer.DelaySeconds,
                        State = presenter.Buffer.State,
                        Face = (float[])face.Clone(),
                    });
                    next += 1.0 / 60;
                    await Task.Delay(TimeSpan.FromSeconds(Math.Max(0.001, next - MonotonicClock.Now)));
                }

                Assert.AreEqual(SessionState.Streaming, session.State, session.LastError?.Message);
            }

            Measure(shown, await TruthAsync(client, shown.Last().Seconds));
            return shown.ToArray();
        }

        // The same audio, config and seed give the same frames: those of a stream that loses nothing are the truth.
        private static async Task<List<float[]>> TruthAsync(LiveTalkerClient client, double seconds)
        {
            float[] clip = Python.Clip();
            var spoken = new float[(int)((seconds + 1) * 16000)];
            for (int i = 0; i < spoken.Length; i++)
            {
                spoken[i] = clip[i % clip.Length];
            }

            Listener listener = await StreamTests.BakeAsync(client, spoken, Fps);
            return listener.Faces;
        }

        private static void Measure(List<Shown> shown, List<float[]> truth)
        {
            foreach (Shown sample in shown)
            {
                if (double.IsNaN(sample.Playhead) || sample.Playhead < 0)
                {
                    continue;
                }

                double best = double.MaxValue;
                double error = 1;
                for (int step = -150; step <= 150; step++)
                {
                    double off = step / 1000.0;
                    double distance = Distance(sample.Face, truth, sample.Playhead + off);
                    if (distance < best - 1e-9 || (distance < best + 1e-9 && Math.Abs(off) < error))
                    {
                        best = Math.Min(best, distance);
                        error = Math.Abs(off);
                    }
                }

                sample.Error = best < 0.02 ? error : 1;
            }
        }

        private static double Distance(float[] face, List<float[]> truth, double at)
        {
            int n = (int)Math.Floor(at * Fps);
            if (n < 0 || n + 1 >= truth.Count)
            {
                return double.MaxValue;
            }

            double share = at * Fps - n;
            double worst = 0;
            for (int i = 0; i < Arkit.Count; i++)
            {
                worst = Math.Max(worst, Math.Abs(truth[n][i] + (share * (truth[n + 1][i] - truth[n][i])) - face[i]));
            }

            return worst;
        }

        /// <summary>One sample as a player would have seen it.</summary>
        private sealed class Shown
        {
            public double Seconds { get; set; }

            public double Playhead { get; set; }

            public double Delay { get; set; }

            public PresentationState State { get; set; }

            public float[] Face { get; set; }

            public double Error { get; set; }
        }
    }
}
