// Leaving play mode: whatever a session is doing, disposing of it returns at once and leaves nothing behind.
using System;
using System.Diagnostics;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class DisposalTests
    {
        [Test]
        public async Task WhileStreaming()
        {
            using (TestServer server = TestServer.Start())
            {
                await CheckAsync(server.Address, session => session.QueuedFrames > 10);
            }
        }

        [Test]
        public async Task WhileNobodyAnswers()
        {
            using (var silent = new ErrorTests.Answering(null))
            {
                await CheckAsync(silent.Address, session => session.WrittenSamples > 8000);
            }
        }

        [Test]
        public async Task WhileLookingForTheServer()
        {
            await CheckAsync($"http://127.0.0.1:{TestServer.FreePort()}", session => session.LastError != null);
        }

        [Test]
        public async Task WhileTheServerIsStuck()
        {
            using (TestServer server = TestServer.Start())
            using (var network = new BadNetwork(server.Port))
            {
                await CheckAsync(network.Address, session =>
                {
                    network.IsStalled |= session.QueuedFrames > 10;
                    return network.IsStalled && session.WrittenSamples > 64000;
                });
                network.IsStalled = false;
            }
        }

        [Test]
        public async Task DisposingOfTheClientEndsItsSessions()
        {
            using (TestServer server = TestServer.Start())
            {
                LiveTalkerClient client = Net.Client(server.Address);
                FaceSession session = client.StartSession(ReconnectTests.Live(30));
                Assert.IsTrue(await new Listener(session).UntilAsync(() => session.State == SessionState.Streaming));
                client.Dispose();
                Assert.IsTrue(await new Listener(session).UntilAsync(() => session.Completion.IsCompleted, 2));
                Assert.AreEqual(SessionState.Closed, session.State);
                Assert.Throws<ObjectDisposedException>(() => client.StartSession(ReconnectTests.Live(30)));
                session.Dispose();
                client.Dispose();
            }
        }

        [Test]
        public async Task TwoHundredSessionsOneAfterTheOtherLeaveNothingBehind()
        {
            using (TestServer server = TestServer.Start(0, "--max-streams", "8"))
            {
                float[] clip = Python.Clip();
                int threads = 0;
                int handles = 0;
                for (int i = 0; i < 200; i++)
                {
                    using (LiveTalkerClient client = Net.Client(server.Address))
                    using (FaceSession session = client.StartSession(ReconnectTests.Live(30)))
                    {
                        session.Write(clip.AsSpan(0, 16000));
                        if (i % 4 != 3)
                        {
                            Assert.IsTrue(await new Listener(session).UntilAsync(() => session.Info != null), session.LastError?.Message);
                        }
                    }

                    if (i == 49)
                    {
                        (threads, handles) = await SettledAsync();
                    }
                }

                (int threadsAfter, int handlesAfter) = await SettledAsync();
                Console.WriteLine($"     threads {threads} then {threadsAfter}, handles {handles} then {handlesAfter}");
                Assert.LessOrEqual(threadsAfter, threads + 8);
                Assert.LessOrEqual(handlesAfter, handles + 20);
            }
        }

        private static async Task<(int Threads, int Handles)> SettledAsync()
        {
            await Task.Delay(1000);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            using (Process self = Process.GetCurrentProcess())
            {
                return (self.Threads.Count, System.IO.Directory.GetFiles("/proc/self/fd").Length);
            }
        }

        private static async Task CheckAsync(string address, Func<FaceSession, bool> ready)
        {
            LiveTalkerClient client = Net.Client(address);
            FaceSession session = client.StartSession(ReconnectTests.Live(30));
            using (new Speaker(session))
            {
                double end = MonotonicClock.Now + 60;
                while (!ready(session))
                {
                    Assert.Less(MonotonicClock.Now, end, "it did not come so far");
                    await Task.Delay(5);
                }

                double before = MonotonicClock.Now;
                session.Dispose();
                client.Dispose();
                double blocked = MonotonicClock.Now - before;
                Task first = await Task.WhenAny(session.Completion, Task.Delay(5000));
                double took = MonotonicClock.Now - before;
                Console.WriteLine($"     Dispose returned after {blocked * 1000:0.0} ms, the session was gone after {took * 1000:0} ms");
                Assert.IsTrue(first == session.Completion, "the session is still running");
                Assert.Less(blocked, 0.2);
                Assert.Less(took, 1.0);
                Assert.AreEqual(SessionState.Closed, session.State);
                Assert.AreEqual(0, session.Write(new float[10]));
            }
        }
    }
}
