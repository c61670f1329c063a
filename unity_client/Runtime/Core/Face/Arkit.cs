// The 52 ARKit coefficients in the project's order. A test holds this copy against the Python one.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>Names, order and regions of the 52 ARKit face coefficients.</summary>
    /// <remarks>Left is the character's own left. Every face in this library is <c>float[52]</c>, each 0 to 1, in this order.</remarks>
    public static class Arkit
    {
        /// <summary>How many coefficients a face has.</summary>
        public const int Count = 52;

        private static readonly string[] NameArray =
        {
            "eyeBlinkLeft",
            "eyeLookDownLeft",
            "eyeLookInLeft",
            "eyeLookOutLeft",
            "eyeLookUpLeft",
            "eyeSquintLeft",
            "eyeWideLeft",
            "eyeBlinkRight",
            "eyeLookDownRight",
            "eyeLookInRight",
            "eyeLookOutRight",
            "eyeLookUpRight",
            "eyeSquintRight",
            "eyeWideRight",
            "jawForward",
            "jawLeft",
            "jawRight",
            "jawOpen",
            "mouthClose",
            "mouthFunnel",
            "mouthPucker",
            "mouthLeft",
            "mouthRight",
            "mouthSmileLeft",
            "mouthSmileRight",
            "mouthFrownLeft",
            "mouthFrownRight",
            "mouthDimpleLeft",
            "mouthDimpleRight",
            "mouthStretchLeft",
            "mouthStretchRight",
            "mouthRollLower",
            "mouthRollUpper",
            "mouthShrugLower",
            "mouthShrugUpper",
            "mouthPressLeft",
            "mouthPressRight",
            "mouthLowerDownLeft",
            "mouthLowerDownRight",
            "mouthUpperUpLeft",
            "mouthUpperUpRight",
            "browDownLeft",
            "browDownRight",
            "browInnerUp",
            "browOuterUpLeft",
            "browOuterUpRight",
            "cheekPuff",
            "cheekSquintLeft",
            "cheekSquintRight",
            "noseSneerLeft",
            "noseSneerRight",
            "tongueOut",
        };

        private static readonly Dictionary<string, int> Indices = MakeIndices();

        /// <summary>The 52 names, camelCase as in Apple's ARFaceAnchor.BlendShapeLocation.</summary>
        public static IReadOnlyList<string> Names => NameArray;

        /// <summary>Position of a coefficient, or -1 if there is none of that exact name.</summary>
        public static int IndexOf(string name)
        {
            return name != null && Indices.TryGetValue(name, out int index) ? index : -1;
        }

        /// <summary>Whether a coefficient belongs to eyes, brows, cheek squint or nose: what an expression may own.</summary>
        public static bool IsUpperFace(int index)
        {
            string name = NameArray[index];
            return name.StartsWith("eye", StringComparison.Ordinal)
                || name.StartsWith("brow", StringComparison.Ordinal)
                || name.StartsWith("cheekSquint", StringComparison.Ordinal)
                || name.StartsWith("noseSneer", StringComparison.Ordinal);
        }

        /// <summary>Whether a coefficient closes an eyelid.</summary>
        internal static bool IsBlink(int index)
        {
            return NameArray[index].StartsWith("eyeBlink", StringComparison.Ordinal);
        }

        /// <summary>Position of a coefficient that is known to exist.</summary>
        internal static int Index(string name)
        {
            return Indices[name];
        }

        private static Dictionary<string, int> MakeIndices()
        {
            var indices = new Dictionary<string, int>(Count, StringComparer.Ordinal);
            for (int i = 0; i < NameArray.Length; i++)
            {
                indices.Add(NameArray[i], i);
            }

            return indices;
        }
    }
}
