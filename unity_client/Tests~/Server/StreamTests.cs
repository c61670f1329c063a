// Streams the demo's sentence through the real server.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class StreamTests
    {
        private const int Rate = 16000;

        [TestCase(30)]
        [TestCase(60)]
        public async Task ReceivesTheFramesThatThePythonClientReceives(int fps)
        {
            using (TestServer server = TestServer.Start())
            using (LiveTalkerClient client = Net.Client(server.Address))
            {
                float[] clip = Python.Clip();
                Listener listener = await BakeAsync(client, clip, fps);
                Assert.AreEqual(((long)clip.Length * fps + Rate - 1) / Rate, listener.Indexes.Count);
                Assert.IsTrue(listener.Indexes.SequenceEqual(Enumerable.Range(0, listener.Indexes.Count).Select(i => (long)i)));

                List<string> expected = await Python.RunAsync("reference.py", $"127.0.0.1:{server.Port}", fps.ToString(), "7");
                Assert.AreEqual(expected.Count, listener.Faces.Count);
                float worst = 0;
                float largest = 0;
                for (int n = 0; n < expected.Count; n++)
                {
                    byte[] bytes = Convert.FromHexString(expected[n]);
                    for (int i = 0; i < Arkit.Count; i++)
                    {
                        float value = BitConverter.ToSingle(bytes, 4 * i);
                        worst = Math.Max(worst, Math.Abs(value - listener.Faces[n][i]));
                        largest = Math.Max(largest, value);
                    }
                }

                Console.WriteLine($"     {expected.Count} frames, largest difference {worst:0.0e0}");
                Assert.LessOrEqual(worst, 1e-4f);
                Assert.Greater(largest, 0.3f, "the face moved");
            }
        }

        [Test]
        public async Task TellsWhatTheServerServes()
        {
            using (TestServer server = TestServer.Start())
            using (LiveTalkerClient client = Net.Client(server.Address))
            {
                ModelInfo info = await client.GetModelInfoAsync(TimeSpan.FromSeconds(30));
                Assert.AreEqual(string.Join(" ", Arkit.Names), string.Join(" ", info.BlendshapeNames));
                Assert.AreEqual("30 60", string.Join(" ", info.FrameRates));
                Assert.AreEqual(3, info.LatencyPresets.Count);
                Assert.Greater(info.Identities.Count, 0);
                Assert.IsTrue(info.ModelName.Length > 0 && info.ModelVersion.Length > 0);
                Assert.Greater(info.DenoiseSteps, 0);
                Assert.AreEqual(10000, info.Limits.MaxGapMs);
            }
        }

        [Test]
        public async Task ControlsTakeEffectAndEventsAreTold()
        {
            using (TestServer server = TestServer.Start())
            using (LiveTalkerClient client = Net.Client(server.Address))
            {
                var config = new SessionConfig { SampleRate = Rate, FrameRate = 30, Delivery = Delivery.Lossless, Blinks = false, IdleMotion = false };
                using (FaceSession session = client.StartSession(config))
                {
                    var listener = new Listener(session);
                    float[] clip = Python.Clip();
                    await WriteAsync(session, listener, clip.AsMemory(0, 2 * Rate));
                    var smiling = new Shaping();
                    smiling.Expression["mouthSmileLeft"] = 1;
                    session.SetShaping(smiling);
                    await WriteAsync(session, listener, clip.AsMemory(2 * Rate, Rate));
                    session.SetMuted(true);
                    await WriteAsync(session, listener, clip.AsMemory(3 * Rate, 2 * Rate));
                    session.SetMuted(false);
                    Assert.IsTrue(await listener.UntilAsync(() => listener.Indexes.LastOrDefault() >= 140));
                    session.Write(clip.AsSpan(5 * Rate, 5 * Rate));
                    session.Flush();
                    session.Complete();
                    Assert.IsTrue(await listener.UntilAsync(() => session.State == SessionState.Completed), session.LastError?.Message);

                    int smile = Arkit.IndexOf("mouthSmileLeft");
                    int jaw = Arkit.IndexOf("jawOpen");
                    Assert.Less(Face(listener, 50)[smile], 0.5f, "before the shaping");
                    Assert.Greater(Face(listener, 75)[smile], 0.9f, "after it");
                    Assert.Less(Face(listener, 140)[jaw], 0.05f, "muted");
                    Assert.IsTrue(listener.Events.Any(e => e.Kind == SessionEventKind.IdentityMatched && e.Identity.Length > 0));
                    Assert.IsTrue(listener.Events.Any(e => e.Kind == SessionEventKind.FramesMissing), "flushed frames are told");
                    Assert.IsTrue(listener.Events.Any(e => e.Kind == SessionEventKind.Connected));
                }
            }
        }

        [Test]
        public async Task LosslessDeliveryHoldsTheWriterBackAndLosesNothing()
        {
            using (TestServer server = TestServer.Start())
            using (LiveTalkerClient client = Net.Client(server.Address))
            using (FaceSession session = client.StartSession(Config(60)))
            {
                var listener = new Listener(session);
                float[] clip = Python.Clip();
                Assert.AreEqual(8 * Rate, session.Write(clip), "the ring takes what it holds and no more");
                Assert.IsTrue(session.Room < 2 * Rate, "room comes with frames only");
                await Task.Delay(3000); // nobody reads: the queue fills and the server is held back
                Assert.Less(session.QueuedFrames, 1000);
                while (session.WrittenSamples < 3 * clip.Length)
                {
                    int at = (int)(session.WrittenSamples % clip.Length);
                    session.Write(clip.AsSpan(at));
                    await listener.UntilAsync(() => session.Room > 0, 30);
                }

                session.Complete();
                Assert.IsTrue(await listener.UntilAsync(() => session.State == SessionState.Completed), session.LastError?.Message);
                Assert.AreEqual((session.WrittenSamples * 60 + Rate - 1) / Rate, listener.Indexes.Count);
                Assert.AreEqual(listener.Indexes.Count - 1, listener.Indexes.Last());
            }
        }

        internal static SessionConfig Config(int fps)
        {
            return new SessionConfig { SampleRate = Rate, FrameRate = fps, Delivery = Delivery.Lossless, Seed = 7 };
        }

        internal static async Task<Listener> BakeAsync(LiveTalkerClient client, float[] clip, int fps)
        {
            using (FaceSession session = client.StartSession(Config(fps)))
            {
                var listener = new Listener(session);
                await WriteAsync(session, listener, clip);
                session.Complete();
                Assert.IsTrue(await listener.UntilAsync(() => session.Completion.IsCompleted), "the session does not end");
                await listener.UntilAsync(() => session.QueuedFrames == 0);
                Assert.AreEqual(SessionState.Completed, session.State, session.LastError?.Message);
                return listener;
            }
        }

        private static async Task WriteAsync(FaceSession session, Listener listener, ReadOnlyMemory<float> audio)
        {
            while (audio.Length > 0)
            {
                audio = audio.Slice(session.Write(audio.Span));
                if (audio.Length > 0)
                {
                    await listener.UntilAsync(() => session.Room > 0);
                    Assert.AreEqual(false, session.State == SessionState.Failed, session.LastError?.Message);
                }
            }
        }

        private static float[] Face(Listener listener, long index)
        {
            int at = listener.Indexes.IndexOf(index);
            Assert.GreaterOrEqual(at, 0, $"frame {index} is missing");
            return listener.Faces[at];
        }
    }
}
