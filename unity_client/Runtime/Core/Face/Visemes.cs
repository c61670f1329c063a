// Fifteen visemes made of ARKit coefficients, for avatars that have no ARKit shapes.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>The 15 visemes of Oculus LipSync and VRChat, derived from a face of 52 coefficients.</summary>
    /// <remarks>
    /// Each viseme has a typical mouth: how far it is open, its lips apart, rounded, spread, pressed and so on, after the
    /// targets that the model's faces were made from. A face is as much of each viseme as it is near to that mouth; the
    /// weights add up to 1, and a face at rest is all <c>sil</c>. What only the tongue does behind the teeth cannot be seen
    /// in ARKit coefficients: DD, kk and nn share such a mouth among them.
    /// </remarks>
    public static class Visemes
    {
        /// <summary>How many visemes there are.</summary>
        public const int Count = 15;

        private const int Features = 9;

        // Squared distance, in the units of the table, at which a viseme has lost 1 - 1/e of its weight.
        private const float Nearness = 0.008f;

        private static readonly string[] NameArray =
        {
            "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou",
        };

        // jaw open, lips apart, pucker, funnel, spread, press, lower lip rolled in, tongue, jaw forward
        private static readonly float[] Mouths =
        {
            0.00f, 0.00f, 0.00f, 0.00f, 0.00f, 0.00f, 0.00f, 0.00f, 0.00f,
            0.07f, 0.00f, 0.00f, 0.02f, 0.08f, 0.30f, 0.20f, 0.00f, 0.02f,
            0.10f, 0.08f, 0.00f, 0.02f, 0.12f, 0.00f, 0.40f, 0.00f, 0.00f,
            0.12f, 0.16f, 0.00f, 0.02f, 0.14f, 0.00f, 0.00f, 0.30f, 0.04f,
            0.07f, 0.13f, 0.00f, 0.02f, 0.16f, 0.00f, 0.00f, 0.00f, 0.05f,
            0.14f, 0.13f, 0.00f, 0.02f, 0.14f, 0.00f, 0.00f, 0.00f, 0.02f,
            0.07f, 0.22f, 0.12f, 0.54f, 0.00f, 0.00f, 0.00f, 0.00f, 0.20f,
            0.05f, 0.18f, 0.00f, 0.02f, 0.27f, 0.00f, 0.00f, 0.00f, 0.16f,
            0.12f, 0.14f, 0.00f, 0.02f, 0.13f, 0.00f, 0.00f, 0.05f, 0.04f,
            0.11f, 0.16f, 0.11f, 0.40f, 0.02f, 0.00f, 0.00f, 0.00f, 0.10f,
            0.46f, 0.21f, 0.00f, 0.10f, 0.10f, 0.00f, 0.00f, 0.00f, 0.03f,
            0.32f, 0.24f, 0.00f, 0.02f, 0.30f, 0.00f, 0.00f, 0.00f, 0.03f,
            0.17f, 0.19f, 0.00f, 0.01f, 0.38f, 0.00f, 0.00f, 0.00f, 0.03f,
            0.36f, 0.15f, 0.14f, 0.41f, 0.02f, 0.00f, 0.00f, 0.00f, 0.06f,
            0.14f, 0.06f, 0.38f, 0.54f, 0.00f, 0.00f, 0.00f, 0.00f, 0.08f,
        };

        // What the eye sees first counts most: contact of the lips, the tongue between the teeth.
        private static readonly float[] Importance = { 1f, 1f, 1.2f, 1f, 1f, 2f, 1.5f, 1.5f, 1.2f };

        private static readonly int JawOpen = Arkit.Index("jawOpen");
        private static readonly int JawForward = Arkit.Index("jawForward");
        private static readonly int Pucker = Arkit.Index("mouthPucker");
        private static readonly int Funnel = Arkit.Index("mouthFunnel");
        private static readonly int RollLower = Arkit.Index("mouthRollLower");
        private static readonly int RollUpper = Arkit.Index("mouthRollUpper");
        private static readonly int Tongue = Arkit.Index("tongueOut");
        private static readonly int StretchLeft = Arkit.Index("mouthStretchLeft");
        private static readonly int StretchRight = Arkit.Index("mouthStretchRight");
        private static readonly int PressLeft = Arkit.Index("mouthPressLeft");
        private static readonly int PressRight = Arkit.Index("mouthPressRight");
        private static readonly int LowerDownLeft = Arkit.Index("mouthLowerDownLeft");
        private static readonly int LowerDownRight = Arkit.Index("mouthLowerDownRight");
        private static readonly int UpperUpLeft = Arkit.Index("mouthUpperUpLeft");
        private static readonly int UpperUpRight = Arkit.Index("mouthUpperUpRight");

        /// <summary>The 15 names: sil PP FF TH DD kk CH SS nn RR aa E ih oh ou.</summary>
        public static IReadOnlyList<string> Names => NameArray;

        /// <summary>Position of a viseme, or -1 if there is none of that exact name.</summary>
        public static int IndexOf(string name)
        {
            return Array.IndexOf(NameArray, name);
        }

        /// <summary>Derives the visemes of a face. Allocates nothing.</summary>
        /// <param name="face">The 52 coefficients in the order of <see cref="Arkit.Names"/>.</param>
        /// <param name="visemes">Receives the 15 weights, each 0 to 1, which add up to 1.</param>
        public static void FromFace(ReadOnlySpan<float> face, Span<float> visemes)
        {
            Span<float> mouth = stackalloc float[Features];
            mouth[0] = face[JawOpen];
            mouth[1] = (face[LowerDownLeft] + face[LowerDownRight] + face[UpperUpLeft] + face[UpperUpRight]) / 4;
            mouth[2] = face[Pucker];
            mouth[3] = face[Funnel];
            mouth[4] = (face[StretchLeft] + face[StretchRight]) / 2;
            mouth[5] = Math.Max((face[PressLeft] + face[PressRight]) / 2, face[RollUpper]);
            mouth[6] = face[RollLower];
            mouth[7] = face[Tongue];
            mouth[8] = face[JawForward];

            float nearest = float.MaxValue;
            for (int viseme = 0; viseme < Count; viseme++)
            {
                float distance = 0;
                for (int i = 0; i < Features; i++)
                {
                    float apart = (mouth[i] - Mouths[viseme * Features + i]) * Importance[i];
                    distance += apart * apart;
                }

                visemes[viseme] = distance;
                nearest = Math.Min(nearest, distance);
            }

            // Relative to the nearest, so that a mouth beyond all of them still is one.
            float sum = 0;
            for (int viseme = 0; viseme < Count; viseme++)
            {
                float weight = MathF.Exp((nearest - visemes[viseme]) / Nearness);
                visemes[viseme] = weight;
                sum += weight;
            }

            for (int viseme = 0; viseme < Count; viseme++)
            {
                visemes[viseme] /= sum;
            }
        }
    }
}
