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
            0.091f, 0.091f, 0.062f, 0.000f, 0.105f, 0.056f, 0.053f, 0.000f, 0.000f, 0.068f, 0.005f, 0.029f, // PP
            0.119f, 0.080f, 0.045f, 0.124f, 0.127f, 0.230f, 0.003f, 0.140f, 0.000f, 0.004f, 0.002f, 0.014f, // FF
            0.131f, 0.025f, 0.048f, 0.123f, 0.140f, 0.007f, 0.003f, 0.108f, 0.184f, 0.003f, 0.272f, 0.046f, // TH
            0.101f, 0.021f, 0.053f, 0.153f, 0.152f, 0.011f, 0.003f, 0.108f, 0.161f, 0.004f, 0.006f, 0.054f, // DD
            0.143f, 0.030f, 0.079f, 0.185f, 0.122f, 0.009f, 0.003f, 0.104f, 0.157f, 0.003f, 0.004f, 0.036f, // kk
            0.091f, 0.021f, 0.112f, 0.440f, 0.031f, 0.011f, 0.003f, 0.186f, 0.197f, 0.004f, 0.001f, 0.178f, // CH
            0.075f, 0.014f, 0.048f, 0.124f, 0.209f, 0.006f, 0.002f, 0.133f, 0.194f, 0.002f, 0.003f, 0.147f, // SS
            0.142f, 0.026f, 0.060f, 0.164f, 0.128f, 0.006f, 0.003f, 0.108f, 0.176f, 0.004f, 0.044f, 0.053f, // nn
            0.157f, 0.034f, 0.101f, 0.326f, 0.050f, 0.007f, 0.003f, 0.140f, 0.177f, 0.004f, 0.001f, 0.094f, // RR
            0.419f, 0.076f, 0.026f, 0.110f, 0.182f, 0.012f, 0.002f, 0.190f, 0.261f, 0.003f, 0.001f, 0.037f, // aa
            0.287f, 0.052f, 0.026f, 0.066f, 0.260f, 0.012f, 0.002f, 0.177f, 0.226f, 0.002f, 0.001f, 0.034f, // E
            0.156f, 0.032f, 0.022f, 0.060f, 0.309f, 0.012f, 0.004f, 0.122f, 0.187f, 0.004f, 0.004f, 0.044f, // ih
            0.382f, 0.076f, 0.098f, 0.333f, 0.047f, 0.006f, 0.002f, 0.133f, 0.212f, 0.002f, 0.003f, 0.062f, // oh
            0.151f, 0.045f, 0.328f, 0.444f, 0.023f, 0.007f, 0.003f, 0.054f, 0.101f, 0.003f, 0.002f, 0.074f, // ou
        };

        private static readonly float[] Spreads =
        {
            0.080f, 0.080f, 0.132f, 0.223f, 0.130f, 0.080f, 0.080f, 0.080f, 0.092f, 0.080f, 0.080f, 0.080f,
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
