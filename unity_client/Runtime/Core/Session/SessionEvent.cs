// What a session tells besides frames.
namespace LiveTalker
{
    /// <summary>Kinds of <see cref="SessionEvent"/>.</summary>
    public enum SessionEventKind
    {
        /// <summary>The server accepted the stream, for the first time or again after a break.</summary>
        Connected,

        /// <summary>The connection broke or could not be made; the session tries again by itself.</summary>
        Disconnected,

        /// <summary>The voice was matched with <see cref="SessionEvent.Identity"/>.</summary>
        IdentityMatched,

        /// <summary>Audio did not arrive and was heard as silence.</summary>
        AudioMissing,

        /// <summary>Frames will never come, because they were read too slowly or flushed.</summary>
        FramesMissing,

        /// <summary>The server is stopping; the session goes on elsewhere when it does.</summary>
        Draining,

        /// <summary>Something was odd and was put right.</summary>
        Warning,

        /// <summary>All frames of a completed session were received.</summary>
        Completed,

        /// <summary>The session ended with an error that trying again would not mend.</summary>
        Failed,
    }

    /// <summary>Something a caller may want to know.</summary>
    public sealed class SessionEvent
    {
        internal SessionEvent(SessionEventKind kind, string message)
        {
            Kind = kind;
            Message = message;
        }

        /// <summary>What happened.</summary>
        public SessionEventKind Kind { get; }

        /// <summary>The same, for a person to read.</summary>
        public string Message { get; }

        /// <summary>With <see cref="SessionEventKind.IdentityMatched"/>: the identity's name.</summary>
        public string Identity { get; internal set; }

        /// <summary>With <see cref="SessionEventKind.IdentityMatched"/>: how sure the match is, 0 to 1.</summary>
        public float Confidence { get; internal set; }

        /// <summary>First frame it is about, on the session's own clock.</summary>
        public long FirstFrame { get; internal set; }

        /// <summary>How many frames are missing.</summary>
        public long FrameCount { get; internal set; }

        /// <summary>First sample of a hole in the audio, on the session's own clock.</summary>
        public long StartSample { get; internal set; }

        /// <summary>Length of a hole in the audio, samples.</summary>
        public long SampleCount { get; internal set; }

        /// <summary>With Disconnected and Failed: why.</summary>
        public LiveTalkerException Error { get; internal set; }
    }
}
