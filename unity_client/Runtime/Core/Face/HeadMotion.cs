// Small movements of the head and the eyes that belong to speech: no model's output, but better than a statue.
using System;

namespace LiveTalker
{
    /// <summary>Angles in degrees: pitch down, yaw to the character's left, roll to its left shoulder.</summary>
    public readonly struct HeadPose
    {
        internal HeadPose(float pitch, float yaw, float roll)
        {
            Pitch = pitch;
            Yaw = yaw;
            Roll = roll;
        }

        /// <summary>Nodding, down is positive.</summary>
        public float Pitch { get; }

        /// <summary>Turning, the character's left is positive.</summary>
        public float Yaw { get; }

        /// <summary>Tilting, to the character's left shoulder is positive.</summary>
        public float Roll { get; }
    }

    /// <summary>Slow seeded sway at all times, nods with the jaw while speaking.</summary>
    public sealed class HeadMotion
    {
        private const float SwayDegrees = 1.6f;
        private const float NodDegrees = 4.0f;
        private const float JawSeconds = 0.18f;

        private static readonly int JawOpen = Arkit.Index("jawOpen");

        private readonly double[] phases = new double[9];
        private float jaw;

        /// <param name="seed">Two characters with different seeds do not sway in step.</param>
        public HeadMotion(int seed)
        {
            var random = new Random(seed);
            for (int i = 0; i < phases.Length; i++)
            {
                phases[i] = random.NextDouble() * 2 * Math.PI;
            }
        }

        /// <summary>Gives the head's pose. Allocates nothing.</summary>
        /// <param name="seconds">The time.</param>
        /// <param name="deltaSeconds">Time since the last call.</param>
        /// <param name="face">52 coefficients.</param>
        /// <param name="presence">How far the face is from rest, 0 to 1: see <see cref="JitterBuffer.Presence"/>.</param>
        /// <param name="amount">Factor for all of it.</param>
        public HeadPose Sample(double seconds, float deltaSeconds, ReadOnlySpan<float> face, float presence, float amount)
        {
            jaw += (face[JawOpen] - jaw) * (1 - MathF.Exp(-Math.Max(0, deltaSeconds) / JawSeconds));
            float sway = SwayDegrees * amount * (0.3f + 0.7f * presence);
            return new HeadPose(
                (sway * Wave(seconds, 0)) + (NodDegrees * amount * presence * jaw),
                sway * 1.5f * Wave(seconds, 3),
                sway * 0.8f * Wave(seconds, 6));
        }

        // Three slow waves whose periods have no common multiple worth noticing; -1 to 1.
        private float Wave(double seconds, int first)
        {
            return (float)(
                (0.5 * Math.Sin((seconds * 0.71) + phases[first]))
                + (0.3 * Math.Sin((seconds * 1.57) + phases[first + 1]))
                + (0.2 * Math.Sin((seconds * 2.93) + phases[first + 2])));
        }
    }

    /// <summary>Where an eye looks, from the eight look coefficients.</summary>
    public static class Gaze
    {
        private static readonly int[] Left = Indices("Left");
        private static readonly int[] Right = Indices("Right");

        /// <summary>Gives one eye's angles.</summary>
        /// <param name="face">52 coefficients.</param>
        /// <param name="leftEye">The character's left eye, or its right.</param>
        /// <param name="maxYaw">Degrees at a coefficient of 1, sideways.</param>
        /// <param name="maxPitch">Degrees at a coefficient of 1, up and down.</param>
        /// <param name="yaw">Degrees, the character's left is positive.</param>
        /// <param name="pitch">Degrees, down is positive.</param>
        public static void Sample(ReadOnlySpan<float> face, bool leftEye, float maxYaw, float maxPitch, out float yaw, out float pitch)
        {
            int[] at = leftEye ? Left : Right;
            float outward = face[at[0]] - face[at[1]];
            yaw = (leftEye ? outward : -outward) * maxYaw;
            pitch = (face[at[2]] - face[at[3]]) * maxPitch;
        }

        private static int[] Indices(string side)
        {
            return new[]
            {
                Arkit.Index("eyeLookOut" + side), Arkit.Index("eyeLookIn" + side),
                Arkit.Index("eyeLookDown" + side), Arkit.Index("eyeLookUp" + side),
            };
        }
    }
}
