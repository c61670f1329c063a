// Kills the server under a stream and brings it back.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class ReconnectTests
    {
        [TestCase(true)]
        [TestCase(false)]
        public async Task GoesOnWithinASecondOfTheServersReturn(bool sameKey)
        {
            int port = TestServer.FreePort();
            using (var files = new SecurityTests.TemporaryFiles())
            using (LiveTalkerClient client = Net.Client($"http://127.0.0.1:{port}"))
            {
                // With another key a server cannot take the stream over, and the client begins a new one on the same clock.
                string key = files.Write("key", "a secret of at least thirty-two bytes");
                string[] options = sameKey ? new[] { "--resume-key-file", key } : new string[0];
                TestServer server = TestServer.Start(port, options);
                using (FaceSession session = client.StartSession(Live(60)))
                using (var speaker = new Speaker(session))
                {
                    var listener = new Listener(session);
                    Assert.IsTrue(await listener.UntilAsync(() => listener.Indexes.Count > 150), session.LastError?.Message);
                    for (int outage = 0; outage < 3; outage++)
                    {
                        server.Kill();
                        double killed = MonotonicClock.Now;
                        Assert.IsTrue(await listener.UntilAsync(() => session.State == SessionState.Reconnecting), "the break is noticed");
                        await listener.UntilAsync(() => false, 1 + outage);
                        int before = listener.Indexes.Count;
                        server.Dispose();
                        server = TestServer.Start(port, options);
                        double returned = MonotonicClock.Now;
                        Assert.IsTrue(await listener.UntilAsync(() => listener.Indexes.Count > before), session.LastError?.Message);
                        double took = listener.Arrivals[before] - returned;
                        long skipped = listener.Indexes[before] - listener.Indexes[before - 1] - 1;
                        Console.WriteLine(
                            $"     {returned - killed:0.0} s without a server: the first new frame {took * 1000:0} ms after the server's return, {skipped} frames skipped");
                        Assert.Less(took, 1.0);
                        Assert.AreEqual(sameKey, session.Info.FirstFrame > 0, "the stream itself goes on only where the key is the same");
                        if (sameKey)
                        {
                            Assert.AreEqual(0L, skipped, "what the ring lost is a gap in the audio, and its frames are sent");
                        }

                        // Caught up with the voice: the newest frame is that of a moment ago.
                        double Behind() => MonotonicClock.Now - speaker.Began - (listener.Indexes.Last() / 60.0);
                        Assert.IsTrue(await listener.UntilAsync(() => Behind() < 0.5, 20), "it catches up");
                        Assert.AreEqual(SessionState.Streaming, session.State);
                    }

                    int matches = listener.Events.Count(e => e.Kind == SessionEventKind.IdentityMatched);
                    Console.WriteLine($"     the identity was matched {matches} times");
                }

                server.Dispose();
            }
        }

        [Test]
        public async Task AResumedStreamShowsTheFaceOfAnUninterruptedOne()
        {
            int port = TestServer.FreePort();
            using (var files = new SecurityTests.TemporaryFiles())
            using (LiveTalkerClient client = Net.Client($"http://127.0.0.1:{port}"))
            {
                string[] options = { "--resume-key-file", files.Write("key", "a secret of at least thirty-two bytes") };
                TestServer server = TestServer.Start(port, options);
                float[] clip = Python.Clip();
                Listener whole = await StreamTests.BakeAsync(client, clip, 30);
                Listener broken;
                using (FaceSession session = client.StartSession(StreamTests.Config(30)))
                {
                    broken = new Listener(session);
                    int at = session.Write(clip.AsSpan(0, 7 * 16000));
                    Assert.IsTrue(await broken.UntilAsync(() => broken.Indexes.Count > 200), session.LastError?.Message);
                    server.Kill();
                    server.Dispose();
                    server = TestServer.Start(port, options);
                    while (at < clip.Length)
                    {
                        at += session.Write(clip.AsSpan(at));
                        await broken.UntilAsync(() => session.Room > 0);
                    }

                    session.Complete();
                    Assert.IsTrue(await broken.UntilAsync(() => session.Completion.IsCompleted), session.LastError?.Message);
                    await broken.UntilAsync(() => session.QueuedFrames == 0);
                    Assert.Greater(session.Info.FirstFrame, 0L, "it was resumed");
                }

                server.Dispose();
                Assert.AreEqual(whole.Indexes.Count, broken.Indexes.Count);
                double sum = 0;
                float worst = 0;
                for (int n = 0; n < whole.Faces.Count; n++)
                {
                    for (int i = 0; i < Arkit.Count; i++)
                    {
                        float apart = Math.Abs(whole.Faces[n][i] - broken.Faces[n][i]);
                        sum += apart;
                        worst = Math.Max(worst, apart);
                    }
                }

                double mean = sum / (whole.Faces.Count * Arkit.Count);
                Console.WriteLine($"     beside the uninterrupted stream: mean difference {mean:0.00000}, largest {worst:0.000}");
                Assert.Less(mean, 0.002);
                Assert.Less(worst, 0.2f);
            }
        }

        [Test]
        public async Task ACompletedLineSurvivesABreak()
        {
            int port = TestServer.FreePort();
            TestServer server = TestServer.Start(port);
            float[] clip = Python.Clip();
            using (LiveTalkerClient client = Net.Client($"http://127.0.0.1:{port}"))
            using (FaceSession session = client.StartSession(StreamTests.Config(30)))
            {
                var listener = new Listener(session);
                long at = session.Write(clip);
                Assert.IsTrue(await listener.UntilAsync(() => listener.Indexes.Count > 30), session.LastError?.Message);
                server.Kill();
                server.Dispose();
                server = TestServer.Start(port);
                while (at < clip.Length)
                {
                    at += session.Write(clip.AsSpan((int)at));
                    await listener.UntilAsync(() => session.Room > 0);
                }

                session.Complete();
                Assert.IsTrue(await listener.UntilAsync(() => session.Completion.IsCompleted), session.LastError?.Message);
                await listener.UntilAsync(() => session.QueuedFrames == 0);
                Assert.AreEqual(SessionState.Completed, session.State);
                Assert.AreEqual(((long)clip.Length * 30 + 15999) / 16000, listener.Indexes.Count, "no frame is missing");
            }

            server.Dispose();
        }

        [Test]
        public async Task AServerThatComesLateIsFound()
        {
            int port = TestServer.FreePort();
            using (LiveTalkerClient client = Net.Client($"http://127.0.0.1:{port}"))
            using (FaceSession session = client.StartSession(Live(30)))
            using (var speaker = new Speaker(session))
            {
                var listener = new Listener(session);
                await listener.UntilAsync(() => false, 6);
                Assert.AreEqual(SessionState.Connecting, session.State);
                StringAssert.Contains("livetalker serve", session.LastError.Message);
                using (TestServer server = TestServer.Start(port))
                {
                    Assert.IsTrue(await listener.UntilAsync(() => listener.Indexes.Count > 30), session.LastError?.Message);

                    // The ring holds four seconds, so the first frame is one of the voice's recent past, on its own clock.
                    double spoken = MonotonicClock.Now - speaker.Began;
                    Assert.Greater(listener.Indexes[0] / 30.0, 1.0);
                    Assert.Less(listener.Indexes[0] / 30.0, spoken);
                    Assert.AreEqual(0, listener.Indexes[0] % 30, "a new stream begins on a whole second");
                }
            }
        }

        internal static SessionConfig Live(int fps)
        {
            return new SessionConfig { SampleRate = 16000, FrameRate = fps, Delivery = Delivery.Live, Seed = 7 };
        }
    }
}
