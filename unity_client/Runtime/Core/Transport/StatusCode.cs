// gRPC's status codes.
namespace LiveTalker
{
    /// <summary>How a call ended, as gRPC says it.</summary>
    public enum StatusCode
    {
        /// <summary>Well.</summary>
        Ok = 0,

        /// <summary>It was cancelled.</summary>
        Cancelled = 1,

        /// <summary>For a reason without a code.</summary>
        Unknown = 2,

        /// <summary>The request cannot be right.</summary>
        InvalidArgument = 3,

        /// <summary>It took too long.</summary>
        DeadlineExceeded = 4,

        /// <summary>There is no such thing.</summary>
        NotFound = 5,

        /// <summary>There is such a thing already.</summary>
        AlreadyExists = 6,

        /// <summary>The caller may not do that.</summary>
        PermissionDenied = 7,

        /// <summary>The server is full.</summary>
        ResourceExhausted = 8,

        /// <summary>Not in this state.</summary>
        FailedPrecondition = 9,

        /// <summary>It was given up.</summary>
        Aborted = 10,

        /// <summary>Beyond what is allowed.</summary>
        OutOfRange = 11,

        /// <summary>The server knows no such call.</summary>
        Unimplemented = 12,

        /// <summary>The server's own fault.</summary>
        Internal = 13,

        /// <summary>The server cannot be reached, or is stopping.</summary>
        Unavailable = 14,

        /// <summary>Data was lost.</summary>
        DataLoss = 15,

        /// <summary>The caller did not say who it is.</summary>
        Unauthenticated = 16,
    }
}
