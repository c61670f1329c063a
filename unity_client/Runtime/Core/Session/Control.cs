// A change to a running stream, as the caller asked for it.
namespace LiveTalker
{
    /// <summary>Kinds of control; the values are the field numbers of the contract's <c>Control</c>.</summary>
    internal enum ControlKind
    {
        Flush = 1,
        Mute = 2,
        Unmute = 3,
        RematchIdentity = 4,
        Shaping = 5,
    }

    /// <summary>One control and where in the audio it was asked for.</summary>
    internal sealed class Control
    {
        public Control(ControlKind kind, long atSample)
        {
            Kind = kind;
            AtSample = atSample;
        }

        public ControlKind Kind { get; }

        /// <summary>Samples written before it: it takes effect after them.</summary>
        public long AtSample { get; }

        public IdentityChoice Identity { get; set; }

        public Shaping Shaping { get; set; }
    }
}
