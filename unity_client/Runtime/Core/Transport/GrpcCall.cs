// One gRPC call over HttpClient: HTTP/2 request, length-prefixed messages, status from the trailers.
using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;
using LiveTalker.Wire;

namespace LiveTalker.Transport
{
    /// <summary>A call in progress. One reader; the sender runs inside the HTTP request's body.</summary>
    internal sealed class GrpcCall : IDisposable
    {
        private const int PrefixBytes = 5;
        private const int MaxMessageBytes = 16 * 1024 * 1024;
        private const string StatusHeader = "grpc-status";
        private static readonly Version Http2 = new Version(2, 0);

        private readonly HttpClient client;
        private readonly Uri server;
        private readonly HttpRequestMessage request;
        private HttpResponseMessage response;
        private Stream body;
        private byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        private int start;
        private int end;

        /// <param name="client">Whose handler speaks HTTP/2.</param>
        /// <param name="server">The server's address.</param>
        /// <param name="path">The method, such as <c>livetalker.v1.FaceAnimationService/Animate</c>.</param>
        /// <param name="token">The bearer token; null or empty for none.</param>
        /// <param name="send">Writes the requests and returns to half-close.</param>
        public GrpcCall(HttpClient client, Uri server, string path, string token, Func<Stream, Task> send)
        {
            this.client = client;
            this.server = server;
            request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, "/" + path))
            {
                Version = Http2,
                Content = new SendingContent(send),
            };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            request.Headers.TryAddWithoutValidation("TE", "trailers");
            request.Headers.TryAddWithoutValidation("user-agent", "livetalker-csharp/" + LiveTalkerClient.Version);
            if (!string.IsNullOrEmpty(token))
            {
                request.Headers.TryAddWithoutValidation("authorization", "Bearer " + token);
            }
        }

        /// <summary>Sends the request and waits for the response's headers.</summary>
        /// <exception cref="LiveTalkerException">There was no such answer; the message says what to do.</exception>
        /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
        public async Task OpenAsync(CancellationToken cancellation)
        {
            try
            {
                response = await client
                    .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
                string type = response.Content.Headers.ContentType?.MediaType ?? "";
                if (response.StatusCode != HttpStatusCode.OK || !type.StartsWith("application/grpc", StringComparison.Ordinal))
                {
                    throw ErrorMessages.FromHttp((int)response.StatusCode, type, server);
                }

                body = await response.Content.ReadAsStreamAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (!(error is LiveTalkerException))
            {
                cancellation.ThrowIfCancellationRequested();
                throw ErrorMessages.FromTransport(error, server);
            }
        }

        /// <summary>Receives the next message; its bytes are valid until the next call.</summary>
        /// <returns>The message, or null once the call has ended well.</returns>
        /// <exception cref="LiveTalkerException">The call has ended otherwise.</exception>
        /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
        public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellation)
        {
            if (!await FillAsync(PrefixBytes, cancellation).ConfigureAwait(false))
            {
                ThrowUnlessOk();
                return null;
            }

            if (buffer[start] != 0)
            {
                throw ErrorMessages.BadBytes(new WireException("it is compressed, which was not asked for"), server);
            }

            int length = (buffer[start + 1] << 24) | (buffer[start + 2] << 16) | (buffer[start + 3] << 8) | buffer[start + 4];
            if (length < 0 || length > MaxMessageBytes)
            {
                throw ErrorMessages.BadBytes(new WireException($"it claims to be {(uint)length} bytes long"), server);
            }

            if (!await FillAsync(PrefixBytes + length, cancellation).ConfigureAwait(false))
            {
                ThrowUnlessOk();
                throw ErrorMessages.BadBytes(new WireException("it ends too early"), server);
            }

            var message = new ReadOnlyMemory<byte>(buffer, start + PrefixBytes, length);
            start += PrefixBytes + length;
            return message;
        }

        public void Dispose()
        {
            body?.Dispose();
            response?.Dispose();
            request.Dispose();
            byte[] rented = Interlocked.Exchange(ref buffer, null);
            if (rented != null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }

        // Reads until so many bytes are there; false if the body ended before.
        private async ValueTask<bool> FillAsync(int count, CancellationToken cancellation)
        {
            MakeRoom(count);
            while (end - start < count)
            {
                int read;
                try
                {
                    read = await body.ReadAsync(new Memory<byte>(buffer, end, buffer.Length - end), cancellation).ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    cancellation.ThrowIfCancellationRequested();
                    throw ErrorMessages.FromTransport(error, server);
                }

                if (read == 0)
                {
                    return false;
                }

                end += read;
            }

            return true;
        }

        private void MakeRoom(int count)
        {
            if (start == end)
            {
                start = end = 0;
            }

            if (buffer.Length - start >= count)
            {
                return;
            }

            byte[] target = buffer;
            if (buffer.Length < count)
            {
                target = ArrayPool<byte>.Shared.Rent(count);
            }

            Buffer.BlockCopy(buffer, start, target, 0, end - start);
            if (!ReferenceEquals(target, buffer))
            {
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = target;
            }

            end -= start;
            start = 0;
        }

        private void ThrowUnlessOk()
        {
            string status = FindTrailer(StatusHeader);
            if (status == null)
            {
                throw new LiveTalkerException(
                    StatusCode.Unavailable, $"The stream from {server.Authority} broke off. It is tried again.");
            }

            if (!int.TryParse(status, out int code) || code < 0 || code > (int)StatusCode.Unauthenticated)
            {
                code = (int)StatusCode.Unknown;
            }

            if (code != (int)StatusCode.Ok)
            {
                string message = Uri.UnescapeDataString(FindTrailer("grpc-message") ?? "");
                StatusDetails details = StatusDetails.Parse(FindTrailer("grpc-status-details-bin"));
                throw ErrorMessages.FromStatus((StatusCode)code, message, details, server);
            }
        }

        // An answer without a body has its status in the headers. Handlers made for .NET Standard 2.0 keep the trailers
        // among the request's properties, as grpc-dotnet taught them.
        private string FindTrailer(string name)
        {
            if (response.TrailingHeaders.TryGetValues(name, out IEnumerable<string> values)
                || response.Headers.TryGetValues(name, out values))
            {
                return First(values);
            }

            if (response.RequestMessage != null
                && response.RequestMessage.Properties.TryGetValue("__ResponseTrailers", out object kept)
                && kept is HttpHeaders headers
                && headers.TryGetValues(name, out values))
            {
                return First(values);
            }

            return null;
        }

        private static string First(IEnumerable<string> values)
        {
            foreach (string value in values)
            {
                return value;
            }

            return null;
        }

        /// <summary>A request body that is written while the response is read.</summary>
        private sealed class SendingContent : HttpContent
        {
            private readonly Func<Stream, Task> send;

            public SendingContent(Func<Stream, Task> send)
            {
                this.send = send;
            }

            protected override Task SerializeToStreamAsync(Stream stream, TransportContext context)
            {
                return send(stream);
            }

            protected override bool TryComputeLength(out long length)
            {
                length = 0;
                return false;
            }
        }
    }
}
