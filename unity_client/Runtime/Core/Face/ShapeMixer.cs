// Mixes speech with what else moves the same shapes: an Animator's expressions, another script.
using System;

namespace LiveTalker
{
    /// <summary>How speech meets other animation of a shape.</summary>
    public enum ShapeMix
    {
        /// <summary>Speech decides alone.</summary>
        Replace = 0,

        /// <summary>Both add up, at most to 1.</summary>
        Add = 1,

        /// <summary>The greater one wins.</summary>
        Max = 2,

        /// <summary>Speech leaves the shape alone.</summary>
        LeaveAlone = 3,
    }

    /// <summary>Tells other animation of a shape from what was written last, and mixes speech into it.</summary>
    public sealed class ShapeMixer
    {
        // A renderer keeps weights as floats out of 100; reading one back may differ in the last bit.
        private const float Same = 1e-4f;

        private readonly float[] written;
        private readonly float[] underlying;

        /// <param name="shapes">How many shapes the mesh has.</param>
        public ShapeMixer(int shapes)
        {
            written = new float[shapes];
            underlying = new float[shapes];
            for (int i = 0; i < shapes; i++)
            {
                written[i] = float.NaN;
            }
        }

        /// <summary>What to write to a shape. Allocates nothing.</summary>
        /// <param name="shape">Which.</param>
        /// <param name="current">Its value now, 0 to 1: what was written last, or what something else has made of it since.</param>
        /// <param name="speech">Its value for speech, 0 to 1.</param>
        /// <param name="mix">How both meet.</param>
        public float Mix(int shape, float current, float speech, ShapeMix mix)
        {
            if (mix == ShapeMix.LeaveAlone)
            {
                return current;
            }

            // If it still is what was written here, nothing else has moved it: what lay under it is still there.
            if (!(Math.Abs(current - written[shape]) <= Same))
            {
                underlying[shape] = current;
            }

            float under = underlying[shape];
            float mixed = speech;
            if (mix == ShapeMix.Add)
            {
                mixed = Math.Min(1, under + speech);
            }
            else if (mix == ShapeMix.Max)
            {
                mixed = Math.Max(under, speech);
            }

            written[shape] = mixed;
            return mixed;
        }

        /// <summary>Whether speech has ever moved a shape.</summary>
        public bool IsWritten(int shape)
        {
            return !float.IsNaN(written[shape]);
        }

        /// <summary>What the shape was before speech, to put back in the end.</summary>
        public float Underlying(int shape)
        {
            return underlying[shape];
        }
    }
}
