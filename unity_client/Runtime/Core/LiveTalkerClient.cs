// A connection to one server: where it is, how it is reached and who calls.
using System;
using System.IO;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using LiveTalker.Transport;
using LiveTalker.Wire;

namespace LiveTalker
{
    /// <summary>Opens sessions with a LiveTalker server and asks what it serves. Safe to use from any thread.</summary>
    /// <remarks>
    /// Dispose it when done: sessions that are still open end, and the handler's sockets and threads with them.
    /// </remarks>
    public sealed class LiveTalkerClient : IDisposable
    {
        /// <summary>The package's version.</summary>
        public const string Version = "0.1.0";

        internal const string AnimatePath = "livetalker.v1.FaceAnimationService/Animate";
        private const string ModelInfoPath = "livetalker.v1.FaceAnimationService/GetModelInfo";

        private readonly CancellationTokenSource disposal = new CancellationTokenSource();
        private int disposed;

        /// <param name="server">The server's address, such as <c>http://127.0.0.1:50051</c>, or <c>https://</c> with TLS.</param>
        /// <param name="handler">Speaks HTTP/2; disposed with the client.</param>
        /// <param name="token">A bearer token, for servers that want one; null or empty for none.</param>
        /// <exception cref="ArgumentException">The address is none.</exception>
        public LiveTalkerClient(string server, HttpMessageHandler handler, string token = null)
        {
            if (!Uri.TryCreate(server, UriKind.Absolute, out Uri uri) || (uri.Scheme != "http" && uri.Scheme != "https"))
            {
                throw new ArgumentException(
                    $"\"{server}\" is no server address; write http://host:port, or https://host:port with TLS.", nameof(server));
            }

            if (token != null && token.IndexOfAny(new[] { '\r', '\n' }) >= 0)
            {
                throw new ArgumentException("The token has a line break in it; enter it without.", nameof(token));
            }

            Server = uri;
            Token = token;
            Http = new HttpClient(handler ?? throw new ArgumentNullException(nameof(handler)), disposeHandler: true)
            {
                Timeout = Timeout.InfiniteTimeSpan,
            };
        }

        /// <summary>The server's address.</summary>
        public Uri Server { get; }

        /// <summary>Whether the token goes to another machine in plain text, so that anybody on the way can read it.</summary>
        public bool SendsTokenInPlainText => !string.IsNullOrEmpty(Token) && Server.Scheme == "http" && !Server.IsLoopback;

        internal string Token { get; }

        internal HttpClient Http { get; }

        /// <summary>Cancelled when the client is disposed.</summary>
        internal CancellationToken Disposal => disposal.Token;

        /// <summary>Begins a session: one voice, from now on.</summary>
        /// <exception cref="ArgumentException">A value of the config is out of range.</exception>
        public FaceSession StartSession(SessionConfig config)
        {
            if (config == null)
            {
                throw new ArgumentNullException(nameof(config));
            }

            if (disposed != 0)
            {
                throw new ObjectDisposedException(nameof(LiveTalkerClient));
            }

            config.Validate();
            return new FaceSession(this, config);
        }

        /// <summary>Asks what the server serves; also the quickest test of address, token and TLS.</summary>
        /// <param name="timeout">How long to wait for an answer.</param>
        /// <param name="cancellation">Gives up early.</param>
        /// <exception cref="LiveTalkerException">There was no good answer; the message says what to do.</exception>
        public async Task<ModelInfo> GetModelInfoAsync(TimeSpan timeout, CancellationToken cancellation = default)
        {
            using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, disposal.Token))
            using (var call = new GrpcCall(Http, Server, ModelInfoPath, Token, SendEmptyAsync))
            {
                limit.CancelAfter(timeout);
                try
                {
                    await call.OpenAsync(limit.Token).ConfigureAwait(false);
                    ReadOnlyMemory<byte>? message = await call.ReadAsync(limit.Token).ConfigureAwait(false);
                    return ResponseDecoder.DecodeModelInfo(message.GetValueOrDefault().Span);
                }
                catch (WireException error)
                {
                    throw ErrorMessages.BadBytes(error, Server);
                }
                catch (OperationCanceledException)
                    when (!cancellation.IsCancellationRequested && !disposal.IsCancellationRequested)
                {
                    throw ErrorMessages.FromTransport(
                        new TimeoutException($"nothing came back in {timeout.TotalSeconds:0.#} s"), Server);
                }
            }
        }

        /// <summary>Ends every session and the connection. Does not wait for the network.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref disposed, 1) == 0)
            {
                disposal.Cancel();
                Http.Dispose();
            }
        }

        private static Task SendEmptyAsync(Stream stream)
        {
            return stream.WriteAsync(new byte[5], 0, 5);
        }
    }
}
