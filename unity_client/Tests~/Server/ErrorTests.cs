// Every way in which a stream cannot be had, and the one message that says what to do.
using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class ErrorTests
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

        [Test]
        public async Task NobodyListens()
        {
            string address = $"http://127.0.0.1:{TestServer.FreePort()}";
            await CheckAsync(address, StatusCode.Unavailable, "", true, "No answer from a LiveTalker server", "Is `livetalker serve` running there");
        }

        [Test]
        public async Task NoSuchHost()
        {
            await CheckAsync("http://no-such-host.invalid:50051", StatusCode.Unavailable, "", true, "no-such-host.invalid", "address in the connection right?");
        }

        [TestCase("127.0.0.1:50051")]
        [TestCase("localhost")]
        [TestCase("ftp://127.0.0.1")]
        [TestCase("")]
        public void NoAddressAtAll(string address)
        {
            ArgumentException error = Assert.Throws<ArgumentException>(() => Net.Client(address));
            StringAssert.Contains("write http://host:port", error.Message);
        }

        [Test]
        public async Task AnotherGrpcServer()
        {
            using (TestServer server = TestServer.StartBare())
            {
                await CheckAsync(server.Address, StatusCode.Unimplemented, "", false, "does not know livetalker.v1", "to the same version");
            }
        }

        [Test]
        public async Task AnHttp1Server()
        {
            using (var listener = new Answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
            {
                LiveTalkerException error = await ErrorAsync(listener.Address, null);
                StringAssert.Contains(listener.Address.Substring(7), error.Message);
                Console.WriteLine("     " + error.Message);
            }
        }

        [Test]
        public async Task AServerThatNeverAnswers()
        {
            using (var listener = new Answering(null))
            using (LiveTalkerClient client = Net.Client(listener.Address))
            {
                LiveTalkerException error = await Fails(client.GetModelInfoAsync(TimeSpan.FromSeconds(1)));
                StringAssert.Contains("nothing came back in 1 s", error.Message);
            }
        }

        [Test]
        public async Task AFullServer()
        {
            using (TestServer server = TestServer.Start(0, "--max-streams", "1"))
            using (LiveTalkerClient first = Net.Client(server.Address))
            using (LiveTalkerClient second = Net.Client(server.Address))
            using (FaceSession occupant = first.StartSession(ReconnectTests.Live(30)))
            {
                Assert.IsTrue(await new Listener(occupant).UntilAsync(() => occupant.State == SessionState.Streaming));
                using (FaceSession session = second.StartSession(ReconnectTests.Live(30)))
                using (new Speaker(session))
                {
                    var listener = new Listener(session);
                    Assert.IsTrue(await listener.UntilAsync(() => session.LastError != null));
                    LiveTalkerException error = session.LastError;
                    Assert.AreEqual(StatusCode.ResourceExhausted, error.Code, error.Message);
                    Assert.AreEqual("SERVER_FULL", error.Reason);
                    Assert.IsTrue(error.IsTransient && error.RetryAfter.HasValue);
                    StringAssert.Contains("is full", error.Message);
                    StringAssert.Contains("--max-streams", error.Message);

                    occupant.Dispose();
                    Assert.IsTrue(await listener.UntilAsync(() => listener.Indexes.Count > 0), "it gets the place that became free");
                }
            }
        }

        [Test]
        public async Task AnIdentityThatDoesNotExist()
        {
            using (TestServer server = TestServer.Start())
            using (LiveTalkerClient client = Net.Client(server.Address))
            {
                SessionConfig config = ReconnectTests.Live(30);
                config.Identity = IdentityChoice.Pin("nobody-at-all");
                using (FaceSession session = client.StartSession(config))
                {
                    Assert.IsTrue(await new Listener(session).UntilAsync(() => session.Completion.IsCompleted));
                    Assert.AreEqual(SessionState.Failed, session.State);
                    Assert.AreEqual("UNKNOWN_IDENTITY", session.LastError.Reason);
                    StringAssert.Contains("nobody-at-all", session.LastError.Message);
                }
            }
        }

        [Test]
        public void AConfigThatCannotBeRight()
        {
            using (LiveTalkerClient client = Net.Client("http://127.0.0.1:1"))
            {
                StringAssert.Contains("8000 to 48000", Assert.Throws<ArgumentException>(
                    () => client.StartSession(new SessionConfig { SampleRate = 96000 })).Message);
                StringAssert.Contains("30 or 60", Assert.Throws<ArgumentException>(
                    () => client.StartSession(new SessionConfig { FrameRate = 25 })).Message);
            }
        }

        /// <summary>The error of a question and of a session must be the same, clear one.</summary>
        internal static async Task CheckAsync(
            string address, StatusCode code, string reason, bool transient, string what, string hint, string token = null, string authority = null)
        {
            LiveTalkerException asked = await ErrorAsync(address, token, authority);
            Console.WriteLine("     " + asked.Message);
            foreach (LiveTalkerException error in new[] { asked, await SessionErrorAsync(address, token, authority, transient) })
            {
                Assert.AreEqual(code, error.Code, error.ToString());
                Assert.AreEqual(reason, error.Reason);
                Assert.AreEqual(transient, error.IsTransient);
                StringAssert.Contains(what, error.Message);
                StringAssert.Contains(hint, error.Message);
            }
        }

        private static async Task<LiveTalkerException> ErrorAsync(string address, string token, string authority = null)
        {
            using (LiveTalkerClient client = Net.Client(address, token, authority))
            {
                return await Fails(client.GetModelInfoAsync(Patience));
            }
        }

        private static async Task<LiveTalkerException> SessionErrorAsync(string address, string token, string authority, bool transient)
        {
            using (LiveTalkerClient client = Net.Client(address, token, authority))
            using (FaceSession session = client.StartSession(ReconnectTests.Live(30)))
            {
                Assert.IsTrue(await new Listener(session).UntilAsync(() => session.LastError != null));
                await Task.Delay(300);
                Assert.AreEqual(transient ? SessionState.Connecting : SessionState.Failed, session.State);
                return session.LastError;
            }
        }

        private static async Task<LiveTalkerException> Fails(Task task)
        {
            try
            {
                await task;
            }
            catch (LiveTalkerException error)
            {
                return error;
            }

            throw new AssertionException("no error was thrown");
        }

        /// <summary>A TCP server that says one thing, or nothing, to everybody.</summary>
        internal sealed class Answering : IDisposable
        {
            private readonly TcpListener listener = new TcpListener(IPAddress.Loopback, 0);

            public Answering(string answer)
            {
                listener.Start();
                Task.Run(async () =>
                {
                    while (true)
                    {
                        TcpClient client = await listener.AcceptTcpClientAsync();
                        if (answer != null)
                        {
                            byte[] bytes = Encoding.ASCII.GetBytes(answer);
                            await client.GetStream().WriteAsync(bytes, 0, bytes.Length);
                            client.Close();
                        }
                    }
                });
            }

            public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

            public void Dispose()
            {
                listener.Stop();
            }
        }
    }
}
