// Fifteen visemes made of ARKit coefficients, for avatars that have no ARKit shapes.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>The 15 visemes of Oculus LipSync and VRChat, derived from a face of 52 coefficients.</summary>
    /// <remarks>
    /// Each viseme has a typical mouth, and a face is as much of a viseme as it is likely to be that mouth: a Gaussian for
    /// each, normalised so that the weights add up to 1. A face at rest is <c>sil</c>. What only the tongue does behind the
    /// teeth is not in the 52: DD, kk and nn share such a mouth among them. The table is that of
    /// tests/vectors/visemes.json, which all clients share.
    /// </remarks>
    public static class Visemes
    {
        /// <summary>How many visemes there are.</summary>
        public const int Count = 15;

        private static readonly string[] NameArray =
        {
            "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou",
        };

        // A feature is the mean of these coefficients.
        private static readonly int[][] Features =
        {
            new[] { Arkit.Index("jawOpen") },
            new[] { Arkit.Index("mouthClose") },
            new[] { Arkit.Index("mouthPucker") },
            new[] { Arkit.Index("mouthFunnel") },
            new[] { Arkit.Index("mouthStretchLeft"), Arkit.Index("mouthStretchRight") },
            new[] { Arkit.Index("mouthRollLower") },
            new[] { Arkit.Index("mouthRollUpper") },
            new[] { Arkit.Index("mouthUpperUpLeft"), Arkit.Index("mouthUpperUpRight") },
            new[] { Arkit.Index("mouthLowerDownLeft"), Arkit.Index("mouthLowerDownRight") },
            new[] { Arkit.Index("mouthPressLeft"), Arkit.Index("mouthPressRight") },
            new[] { Arkit.Index("tongueOut") },
            new[] { Arkit.Index("jawForward") },
        };

        // Each viseme's mean of each feature.
        private static readonly float[] Means =
        {
            0.000f, 0.000f, 0.000f, 0.000f, 0.000f, 0.000f, 0.000f, 0.000f, 0.000f, 0.000f, 0.000f, 0.000f, // sil
            0.096f, 0.096f, 0.061f, 0.000f, 0.103f, 0.056f, 0.053f, 0.000f, 0.000f, 0.068f, 0.005f, 0.029f, // PP
            0.117f, 0.079f, 0.044f, 0.123f, 0.127f, 0.230f, 0.003f, 0.123f, 0.000f, 0.004f, 0.002f, 0.014f, // FF
            0.168f, 0.033f, 0.048f, 0.123f, 0.139f, 0.007f, 0.003f, 0.094f, 0.161f, 0.003f, 0.271f, 0.046f, // TH
            0.127f, 0.026f, 0.053f, 0.151f, 0.149f, 0.011f, 0.003f, 0.094f, 0.140f, 0.004f, 0.006f, 0.054f, // DD
            0.173f, 0.036f, 0.078f, 0.183f, 0.120f, 0.009f, 0.003f, 0.091f, 0.137f, 0.003f, 0.004f, 0.035f, // kk
            0.101f, 0.023f, 0.112f, 0.438f, 0.031f, 0.011f, 0.003f, 0.163f, 0.173f, 0.004f, 0.001f, 0.178f, // CH
            0.089f, 0.016f, 0.048f, 0.123f, 0.208f, 0.006f, 0.002f, 0.116f, 0.170f, 0.002f, 0.003f, 0.147f, // SS
            0.175f, 0.033f, 0.060f, 0.163f, 0.126f, 0.006f, 0.003f, 0.094f, 0.154f, 0.004f, 0.044f, 0.053f, // nn
            0.183f, 0.040f, 0.101f, 0.325f, 0.050f, 0.007f, 0.003f, 0.122f, 0.156f, 0.004f, 0.001f, 0.094f, // RR
            0.340f, 0.062f, 0.026f, 0.109f, 0.181f, 0.012f, 0.002f, 0.166f, 0.229f, 0.003f, 0.001f, 0.037f, // aa
            0.262f, 0.048f, 0.026f, 0.066f, 0.259f, 0.012f, 0.002f, 0.155f, 0.199f, 0.002f, 0.001f, 0.034f, // E
            0.180f, 0.037f, 0.022f, 0.060f, 0.308f, 0.012f, 0.004f, 0.107f, 0.164f, 0.004f, 0.004f, 0.044f, // ih
            0.322f, 0.064f, 0.098f, 0.332f, 0.047f, 0.006f, 0.002f, 0.117f, 0.187f, 0.002f, 0.003f, 0.062f, // oh
            0.155f, 0.046f, 0.327f, 0.444f, 0.023f, 0.007f, 0.003f, 0.047f, 0.089f, 0.003f, 0.002f, 0.074f, // ou
        };

        private static readonly float[] Spreads =
        {
            0.080f, 0.080f, 0.131f, 0.222f, 0.130f, 0.080f, 0.080f, 0.080f, 0.081f, 0.080f, 0.080f, 0.080f,
        };

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
            visemes.Slice(0, Count).Clear();
            for (int i = 0; i < Features.Length; i++)
            {
                float feature = 0;
                foreach (int coefficient in Features[i])
                {
                    feature += face[coefficient] / Features[i].Length;
                }

                for (int viseme = 0; viseme < Count; viseme++)
                {
                    float apart = (feature - Means[(viseme * Features.Length) + i]) / Spreads[i];
                    visemes[viseme] += apart * apart / 2;
                }
            }

            // Relative to the nearest, so that a mouth beyond all of them still is one.
            float nearest = float.MaxValue;
            for (int viseme = 0; viseme < Count; viseme++)
            {
                nearest = Math.Min(nearest, visemes[viseme]);
            }

            float sum = 0;
            for (int viseme = 0; viseme < Count; viseme++)
            {
                visemes[viseme] = MathF.Exp(nearest - visemes[viseme]);
                sum += visemes[viseme];
            }

            for (int viseme = 0; viseme < Count; viseme++)
            {
                visemes[viseme] /= sum;
            }
        }
    }
}
