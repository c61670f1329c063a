// The one kind of error that this library reports: what happened, and what to do about it.
using System;

namespace LiveTalker
{
    /// <summary>The server refused or ended a call, or cannot be reached. The message says what to do.</summary>
    public sealed class LiveTalkerException : Exception
    {
        internal LiveTalkerException(
            StatusCode code, string message, string reason = "", string field = "", TimeSpan? retryAfter = null, Exception inner = null)
            : base(message, inner)
        {
            Code = code;
            Reason = reason;
            Field = field;
            RetryAfter = retryAfter;
        }

        /// <summary>gRPC's status code.</summary>
        public StatusCode Code { get; }

        /// <summary>The service's reason, such as <c>SERVER_FULL</c>; empty for errors of the transport.</summary>
        public string Reason { get; }

        /// <summary>The field of the request that is at fault, such as <c>config.sample_rate</c>; empty where none is.</summary>
        public string Field { get; }

        /// <summary>When another attempt is worth while; null where the server did not say.</summary>
        public TimeSpan? RetryAfter { get; }

        /// <summary>
        /// Whether the same call may succeed later without anybody changing anything; docs/clients.md has the table.
        /// </summary>
        public bool IsTransient
        {
            get
            {
                switch (Code)
                {
                    case StatusCode.ResourceExhausted:
                        return Reason == "SERVER_FULL"; // else a message was too large, and will be again
                    case StatusCode.Unavailable:
                    case StatusCode.Aborted:
                    case StatusCode.Internal:
                    case StatusCode.Unknown:
                    case StatusCode.Cancelled:
                    case StatusCode.DeadlineExceeded:
                    case StatusCode.DataLoss:
                        return !IsTlsMistake;
                    default:
                        return false;
                }
            }
        }

        /// <summary>Whether this server cannot go on with the stream, but would begin a new one.</summary>
        internal bool WantsNewStream =>
            Reason == "RESUME_INVALID" || Reason == "RESUME_MODEL_CHANGED" || Reason == "GAP_TOO_LONG";

        /// <summary>Whether client and server disagree about TLS, which no waiting mends.</summary>
        internal bool IsTlsMistake { get; set; }
    }
}
