// Takes a silent face's own expression out: what the model, or a performer, shows when nobody speaks.
using System;

namespace LiveTalker
{
    /// <summary>Learns a rest pose from the faces of some quiet seconds, and subtracts it from those that follow.</summary>
    public sealed class RestPose
    {
        private readonly float[] rest = new float[Arkit.Count];
        private readonly double[] sums = new double[Arkit.Count];
        private double remaining;
        private int count;

        /// <summary>Whether it is learning now.</summary>
        public bool IsLearning => remaining > 0;

        /// <summary>The pose that is subtracted.</summary>
        public ReadOnlySpan<float> Pose => rest;

        /// <summary>Begins to learn; let nobody speak meanwhile.</summary>
        /// <param name="seconds">For how long.</param>
        public void Learn(double seconds)
        {
            Array.Clear(sums, 0, sums.Length);
            remaining = seconds;
            count = 0;
        }

        /// <summary>Takes a saved pose, or none.</summary>
        /// <param name="pose">52 coefficients, or an empty span for a face at rest that is all 0.</param>
        public void Set(ReadOnlySpan<float> pose)
        {
            remaining = 0;
            Array.Clear(rest, 0, rest.Length);
            pose.Slice(0, Math.Min(pose.Length, rest.Length)).CopyTo(rest);
        }

        /// <summary>Learns from a face while learning, and subtracts the pose. Allocates nothing.</summary>
        /// <param name="face">52 coefficients; afterwards those that remain, spread over 0 to 1 again.</param>
        /// <param name="deltaSeconds">Time since the last face.</param>
        public void Process(Span<float> face, double deltaSeconds)
        {
            if (remaining > 0)
            {
                LearnFrom(face, deltaSeconds);
            }

            for (int i = 0; i < Arkit.Count; i++)
            {
                // The full movement must still be reached.
                float range = 1 - rest[i];
                float value = range > 0.05f ? (face[i] - rest[i]) / range : 0;
                face[i] = value < 0 ? 0 : value;
            }
        }

        private void LearnFrom(ReadOnlySpan<float> face, double deltaSeconds)
        {
            count++;
            for (int i = 0; i < Arkit.Count; i++)
            {
                // Blinks are events, not a pose.
                sums[i] += Arkit.IsBlink(i) ? 0 : face[i];
            }

            remaining -= deltaSeconds;
            if (remaining <= 0)
            {
                for (int i = 0; i < Arkit.Count; i++)
                {
                    rest[i] = (float)(sums[i] / count);
                }
            }
        }
    }
}
