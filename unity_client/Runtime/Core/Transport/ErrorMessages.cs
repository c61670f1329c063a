// Turns whatever went wrong into one sentence for a person that ends with what to do.
using System;
using System.Net.Http;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using LiveTalker.Wire;

namespace LiveTalker.Transport
{
    /// <summary>Makes <see cref="LiveTalkerException"/>s of statuses and of the transport's exceptions.</summary>
    internal static class ErrorMessages
    {
        private const string StartHint = "Is `livetalker serve` running there, and is the address in the connection right?";

        /// <summary>The error of a call that the server, or a proxy before it, ended.</summary>
        public static LiveTalkerException FromStatus(StatusCode code, string message, StatusDetails details, Uri server)
        {
            string address = server.Authority;
            string said = string.IsNullOrEmpty(message) ? code.ToString() : message.TrimEnd('.', '!');
            string text = Explain(code, details, said, address);
            return new LiveTalkerException(code, text, details.Reason, details.Field, details.RetryAfter);
        }

        /// <summary>The error of a call that the transport could not make or carry on with.</summary>
        public static LiveTalkerException FromTransport(Exception error, Uri server)
        {
            string address = server.Authority;
            bool tls = server.Scheme == "https";
            string causes = Causes(error);
            if (tls && Mentions(causes, "UnknownIssuer", "UntrustedRoot", "PartialChain", "certificate is invalid", "certificate verify failed", "invalid peer certificate", "RemoteCertificate", "Certificate Error", "SSL CA cert"))
            {
                return TlsMistake(
                    $"The certificate of the server at {address} is not trusted ({Innermost(error)}). Give the connection the PEM file of the "
                    + "authority that signed it, and use the host name the certificate was made for.",
                    error);
            }

            if (tls && (Contains<AuthenticationException>(error) || Mentions(causes, "frame size", "corrupted frame", "InvalidContentType", "corrupt message", "wrong version number", "SSL connection", "InvalidMessage", "unexpected EOF")))
            {
                return TlsMistake(
                    $"The server at {address} does not answer TLS ({Innermost(error)}). Untick TLS in the connection, or start the server with "
                    + "--tls-cert and --tls-key.",
                    error);
            }

            if (!tls && LooksLikePlaintextToTls(error, causes))
            {
                return new LiveTalkerException(
                    StatusCode.Unavailable,
                    $"The server at {address} closed the connection before it said anything ({Innermost(error)}). If it was started with "
                    + "--tls-cert, tick TLS in the connection; otherwise it may just be restarting.",
                    inner: error);
            }

            if (Mentions(causes, "HTTP/1.1", "HTTP/2 is not", "HTTP_1_1_REQUIRED", "NotSupported"))
            {
                return new LiveTalkerException(
                    StatusCode.Unimplemented,
                    $"There was no HTTP/2 connection with {address} ({Innermost(error)}). In Unity install YetAnotherHttpHandler (up to 6.4); "
                    + "on .NET use SocketsHttpHandler; and let no HTTP/1.1 proxy stand between.",
                    inner: error);
            }

            return new LiveTalkerException(
                StatusCode.Unavailable, $"No answer from a LiveTalker server at {address} ({Innermost(error)}). {StartHint}", inner: error);
        }

        /// <summary>The error of an answer that is not gRPC.</summary>
        public static LiveTalkerException FromHttp(int status, string contentType, Uri server)
        {
            StatusCode code = CodeOfHttp(status);
            return new LiveTalkerException(
                code,
                $"What answers at {server.Authority} is no LiveTalker server: HTTP {status}, content type \"{contentType}\". "
                + "Check the address and port; a proxy before the server must pass gRPC.");
        }

        public static LiveTalkerException Stalled(Uri server)
        {
            return new LiveTalkerException(
                StatusCode.Unavailable,
                $"The server at {server.Authority} went silent. The network may be down or the server overloaded; it is tried again.");
        }

        public static LiveTalkerException BadBytes(WireException error, Uri server)
        {
            return new LiveTalkerException(
                StatusCode.Internal,
                $"The server at {server.Authority} sent a message that cannot be read ({error.Message}). "
                + "Bring client and server to the same version.",
                inner: error);
        }

        private static string Explain(StatusCode code, StatusDetails details, string said, string address)
        {
            switch (details.Reason)
            {
                case "TOKEN_REQUIRED":
                    return $"The server at {address} wants a token and none was sent. Enter one of its --token-file in the connection.";
                case "TOKEN_UNKNOWN":
                    return $"The server at {address} does not know this token. Enter one of its --token-file in the connection.";
                case "SERVER_FULL":
                    string when = details.RetryAfter.HasValue ? $" in {details.RetryAfter.Value.TotalSeconds:0.#} s" : "";
                    return $"The server at {address} is full: {said}. It is tried again{when}; start it with a larger --max-streams, or end a stream.";
                case "SERVER_DRAINING":
                    return $"The server at {address} is stopping: {said}. The session goes on when a server is there again.";
                case "CLIENT_TOO_SLOW":
                    return $"The server at {address} gave the stream up because frames were not read: {said}. Read them in every Update, or use live delivery.";
                case "SERVER_FAILED":
                    return $"The server at {address} failed: {said}. It is tried again; look at the server's log if this persists.";
            }

            switch (code)
            {
                case StatusCode.Unimplemented:
                    return $"The server at {address} does not know livetalker.v1, which this client speaks: {said}. Bring client and server to the same version, and check the port.";
                case StatusCode.Unauthenticated:
                case StatusCode.PermissionDenied:
                    return $"The server at {address}, or a proxy before it, does not let this client in: {said}. Check the token in the connection.";
                case StatusCode.Unavailable:
                    return $"No answer from a LiveTalker server at {address} ({said}). {StartHint}";
                default:
                    string field = details.Field.Length > 0 ? $" (field {details.Field})" : "";
                    return $"The server at {address} refused: {said}{field}.";
            }
        }

        /// <summary>The code that gRPC's HTTP mapping gives a status that came without one of gRPC's own.</summary>
        private static StatusCode CodeOfHttp(int status)
        {
            switch (status)
            {
                case 400:
                    return StatusCode.Internal;
                case 401:
                    return StatusCode.Unauthenticated;
                case 403:
                    return StatusCode.PermissionDenied;
                case 429:
                case 502:
                case 503:
                case 504:
                    return StatusCode.Unavailable;
                default:
                    return StatusCode.Unimplemented;
            }
        }

        private static LiveTalkerException TlsMistake(string message, Exception inner)
        {
            return new LiveTalkerException(StatusCode.Unavailable, message, inner: inner) { IsTlsMistake = true };
        }

        // A TLS server drops a connection that does not begin with a handshake, some with a TLS alert first, which HTTP/2
        // takes for a broken frame.
        private static bool LooksLikePlaintextToTls(Exception error, string causes)
        {
            for (Exception at = error; at != null; at = at.InnerException)
            {
                if (at is SocketException socket && socket.SocketErrorCode == SocketError.ConnectionRefused)
                {
                    return false;
                }
            }

            return Mentions(causes, "invalid HTTP version", "invalid response", "HTTP_PROTOCOL", "PROTOCOL_ERROR", "frame with invalid size", "FRAME_SIZE_ERROR", "response ended prematurely", "HttpConnectionError", "broken before", "connection was closed", "ProtocolError", "forcibly closed", "reset by peer");
        }

        private static bool Contains<T>(Exception error)
            where T : Exception
        {
            for (Exception at = error; at != null; at = at.InnerException)
            {
                if (at is T)
                {
                    return true;
                }
            }

            return false;
        }

        private static string Causes(Exception error)
        {
            var text = new StringBuilder();
            for (Exception at = error; at != null; at = at.InnerException)
            {
                text.Append(at.Message).Append('\n');
            }

            return text.ToString();
        }

        private static string Innermost(Exception error)
        {
            while (error.InnerException != null)
            {
                error = error.InnerException;
            }

            // One line of it: .NET puts the names of objects on further ones.
            return error.Message.Split('\n')[0].Trim().TrimEnd('.');
        }

        private static bool Mentions(string text, params string[] parts)
        {
            foreach (string part in parts)
            {
                if (text.IndexOf(part, StringComparison.OrdinalIgnoreCase) >= 0)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
