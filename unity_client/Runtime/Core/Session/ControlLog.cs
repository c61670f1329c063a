// Controls in the order of the audio, and which of them a new call must hear again.
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>Remembers controls until the server has surely acted on them. Safe to use from any thread.</summary>
    internal sealed class ControlLog
    {
        private const int TooMany = 64;

        private readonly object gate = new object();
        private List<Control> controls = new List<Control>();
        private int sent;

        public void Add(Control control)
        {
            lock (gate)
            {
                if (controls.Count >= TooMany)
                {
                    Collapse(long.MaxValue, 0);
                }

                controls.Add(control);
            }
        }

        /// <summary>The next control that the audio sent so far has reached.</summary>
        public bool TryNext(long sentSamples, out Control control)
        {
            lock (gate)
            {
                if (sent < controls.Count && controls[sent].AtSample <= sentSamples)
                {
                    control = controls[sent++];
                    return true;
                }

                control = null;
                return false;
            }
        }

        /// <summary>Begins a call whose audio starts at a sample: what was in force there comes first, then what followed.</summary>
        /// <param name="startSample">First sample of the call.</param>
        /// <param name="knownSample">Before which the server, or its token, knows of identities and flushes; 0: of none.</param>
        public void Rewind(long startSample, long knownSample)
        {
            lock (gate)
            {
                Collapse(startSample, knownSample);
                sent = 0;
            }
        }

        // Of what was sent, keeps the last mute, shaping and identity before the sample, and what changed them after it.
        // A flush before the sample has nothing to drop. One that the server knows of is not said again, nor is an identity:
        // the voice would be matched anew.
        private void Collapse(long startSample, long knownSample)
        {
            Control mute = null;
            Control shaping = null;
            Control rematch = null;
            var later = new List<Control>();
            for (int i = 0; i < sent; i++)
            {
                Control control = controls[i];
                bool before = control.AtSample <= startSample;
                bool known = control.AtSample < knownSample;
                switch (control.Kind)
                {
                    case ControlKind.Mute:
                    case ControlKind.Unmute:
                        mute = Keep(control, before, mute, later);
                        break;
                    case ControlKind.Shaping:
                        shaping = Keep(control, before, shaping, later);
                        break;
                    case ControlKind.RematchIdentity when !known:
                        rematch = Keep(control, before, rematch, later);
                        break;
                    case ControlKind.Flush when !known && !before:
                        later.Add(control);
                        break;
                }
            }

            var kept = new List<Control>();
            foreach (Control control in new[] { mute, shaping, rematch })
            {
                if (control != null)
                {
                    kept.Add(control);
                }
            }

            kept.AddRange(later);
            int keptSent = kept.Count;
            kept.AddRange(controls.GetRange(sent, controls.Count - sent));
            controls = kept;
            sent = keptSent;
        }

        private static Control Keep(Control control, bool before, Control last, List<Control> later)
        {
            if (before)
            {
                return control;
            }

            later.Add(control);
            return last;
        }
    }
}
