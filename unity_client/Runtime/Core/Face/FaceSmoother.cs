// Softens a face's movement, the same at every frame rate.
using System;

namespace LiveTalker
{
    /// <summary>A one-pole low-pass over the coefficients. Frames are already interpolated; this is for taste.</summary>
    public sealed class FaceSmoother
    {
        private readonly float[] last = new float[Arkit.Count];
        private bool hasLast;

        /// <summary>Time after which 63 % of a movement is made, seconds; 0 leaves the face as it is. Lips suffer above 0.03.</summary>
        public float Seconds { get; set; }

        /// <summary>Smooths a face in place. Allocates nothing.</summary>
        /// <param name="face">52 coefficients.</param>
        /// <param name="deltaSeconds">Time since the last face.</param>
        public void Process(Span<float> face, float deltaSeconds)
        {
            if (Seconds > 0 && hasLast)
            {
                float share = 1 - MathF.Exp(-Math.Max(0, deltaSeconds) / Seconds);
                for (int i = 0; i < Arkit.Count; i++)
                {
                    face[i] = last[i] + share * (face[i] - last[i]);
                }
            }

            face.Slice(0, Arkit.Count).CopyTo(last);
            hasLast = true;
        }
    }
}
