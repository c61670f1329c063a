// How far a session has come, for its owner to see.
namespace LiveTalker
{
    /// <summary>What a session is doing.</summary>
    public enum SessionState
    {
        /// <summary>Looking for the server for the first time.</summary>
        Connecting,

        /// <summary>Connected.</summary>
        Streaming,

        /// <summary>The connection broke; looking for the server again.</summary>
        Reconnecting,

        /// <summary>All frames of the completed audio were received.</summary>
        Completed,

        /// <summary>Ended by an error that trying again would not mend.</summary>
        Failed,

        /// <summary>Disposed.</summary>
        Closed,
    }
}
