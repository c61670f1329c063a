// Bakes a recorded line with the real server.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class BakingTests
    {
        [Test]
        public async Task ALineIsBakedWholeAndFasterThanItIsSpoken()
        {
            using (TestServer server = TestServer.Start())
            using (LiveTalkerClient client = Net.Client(server.Address))
            {
                float[] clip = Python.Clip();
                var shares = new List<float>();
                double before = MonotonicClock.Now;
                BakedFace baked = await FaceBaker.BakeAsync(client, clip, StreamTests.Config(60), new Recorder(shares), default);
                double took = MonotonicClock.Now - before;
                Console.WriteLine($"     {clip.Length / 16000.0:0.0} s of speech in {took:0.0} s");
                Assert.AreEqual((clip.Length * 60 + 15999) / 16000, baked.Frames.Count);
                Assert.Greater(baked.Curve(Arkit.IndexOf("jawOpen")).Max(), 0.2f);
                Assert.IsTrue(shares.SequenceEqual(shares.OrderBy(s => s)) && shares.All(s => s <= 1));
                int keys = CurveSimplifier.Keep(baked.Curve(Arkit.IndexOf("jawOpen")), 0.001f).Count;
                Assert.Less(keys, baked.Frames.Count);
            }
        }

        [Test]
        public async Task BakingIsStoppedAndRefusedClearly()
        {
            using (TestServer server = TestServer.Start())
            using (LiveTalkerClient client = Net.Client(server.Address))
            using (var stop = new CancellationTokenSource(300))
            {
                try
                {
                    await FaceBaker.BakeAsync(client, new float[16000 * 600], StreamTests.Config(60), null, stop.Token);
                    Assert.Fail("it was not stopped");
                }
                catch (OperationCanceledException)
                {
                }

                SessionConfig config = StreamTests.Config(60);
                config.Identity = IdentityChoice.Pin("nobody");
                try
                {
                    await FaceBaker.BakeAsync(client, new float[16000], config, null, default);
                    Assert.Fail("it was not refused");
                }
                catch (LiveTalkerException error)
                {
                    Assert.AreEqual("UNKNOWN_IDENTITY", error.Reason);
                }
            }
        }

        private sealed class Recorder : IProgress<float>
        {
            private readonly List<float> shares;

            public Recorder(List<float> shares)
            {
                this.shares = shares;
            }

            public void Report(float value)
            {
                shares.Add(value);
            }
        }
    }
}
