// What the tests reach servers with: HTTP/2 handlers of .NET, and a network that can be made bad.
using System;
using System.Collections.Concurrent;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;

namespace LiveTalker.Tests
{
    /// <summary>Makes clients on .NET's own HTTP/2.</summary>
    internal static class Net
    {
        /// <param name="address">The server's.</param>
        /// <param name="token">A bearer token, or null.</param>
        /// <param name="authority">PEM of the only authority to trust, or null for the system's.</param>
        public static LiveTalkerClient Client(string address, string token = null, string authority = null)
        {
            var handler = new SocketsHttpHandler();
            if (authority != null)
            {
                var trusted = new X509Certificate2(System.Text.Encoding.ASCII.GetBytes(authority));
                handler.SslOptions.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
                {
                    chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                    chain.ChainPolicy.CustomTrustStore.Add(trusted);
                    chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                    return (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0
                        && chain.Build((X509Certificate2)certificate);
                };
            }

            return new LiveTalkerClient(address, new ExactVersion(handler), token);
        }

        /// <summary>Asks for HTTP/2 without TLS, which .NET 5 and later do only when told not to settle for less.</summary>
        internal sealed class ExactVersion : DelegatingHandler
        {
            public ExactVersion(HttpMessageHandler inner)
                : base(inner)
            {
            }

            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
            {
                request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
                return base.SendAsync(request, cancellation);
            }
        }
    }

    /// <summary>A TCP relay that delays, jitters, throttles and stalls what passes, in order, as a bad network does.</summary>
    internal sealed class BadNetwork : IDisposable
    {
        private readonly TcpListener listener = new TcpListener(IPAddress.Loopback, 0);
        private readonly ConcurrentBag<TcpClient> connections = new ConcurrentBag<TcpClient>();
        private readonly int target;
        private readonly Random random = new Random(11);

        public BadNetwork(int target)
        {
            this.target = target;
            listener.Start();
            Task.Run(AcceptAsync);
        }

        public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

        /// <summary>Every piece is this late, each way.</summary>
        public TimeSpan Latency { get; set; }

        /// <summary>And up to this much later, at random.</summary>
        public TimeSpan Jitter { get; set; }

        /// <summary>Bytes a second, each way; 0 for no limit.</summary>
        public int BytesPerSecond { get; set; }

        /// <summary>Nothing passes while this is set.</summary>
        public bool IsStalled { get; set; }

        public void Dispose()
        {
            listener.Stop();
            foreach (TcpClient connection in connections)
            {
                connection.Close();
            }
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    TcpClient near = await listener.AcceptTcpClientAsync();
                    var far = new TcpClient { NoDelay = true };
                    near.NoDelay = true;
                    connections.Add(near);
                    connections.Add(far);
                    try
                    {
                        await far.ConnectAsync(IPAddress.Loopback, target);
                    }
                    catch (SocketException)
                    {
                        near.Close();
                        continue;
                    }

                    _ = Task.Run(() => RelayAsync(near, far));
                    _ = Task.Run(() => RelayAsync(far, near));
                }
            }
            catch (Exception error) when (error is SocketException || error is ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task RelayAsync(TcpClient from, TcpClient to)
        {
            var queue = new BlockingCollection<(double Due, byte[] Data)>();
            var sender = new Thread(() => Send(queue, to)) { IsBackground = true };
            sender.Start();
            var buffer = new byte[4096];
            double due = 0;
            try
            {
                NetworkStream stream = from.GetStream();
                int count;
                while ((count = await stream.ReadAsync(buffer, 0, buffer.Length)) > 0)
                {
                    double late;
                    lock (random)
                    {
                        late = Latency.TotalSeconds + (random.NextDouble() * Jitter.TotalSeconds);
                    }

                    // In order: what comes after cannot arrive before.
                    due = Math.Max(due, MonotonicClock.Now + late);
                    due += BytesPerSecond > 0 ? (double)count / BytesPerSecond : 0;
                    queue.Add((due, buffer.AsSpan(0, count).ToArray()));
                    while (BytesPerSecond > 0 && due > MonotonicClock.Now + 0.5)
                    {
                        await Task.Delay(10); // a network has little memory: it pushes back
                    }
                }
            }
            catch (Exception error) when (error is IOException || error is ObjectDisposedException || error is InvalidOperationException)
            {
                // One side has gone: so goes the other.
            }

            queue.CompleteAdding();
        }

        private void Send(BlockingCollection<(double Due, byte[] Data)> queue, TcpClient to)
        {
            try
            {
                foreach ((double due, byte[] data) in queue.GetConsumingEnumerable())
                {
                    while (IsStalled || due > MonotonicClock.Now)
                    {
                        Thread.Sleep(1);
                    }

                    to.GetStream().Write(data, 0, data.Length);
                }
            }
            catch (Exception error) when (error is IOException || error is ObjectDisposedException || error is InvalidOperationException)
            {
                // As above.
            }

            to.Close();
        }
    }
}
