// Everything a character's shapes can be driven by: the 52 coefficients and the 15 visemes, in one array.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>The 67 channels of a face: 52 ARKit coefficients, then 15 visemes.</summary>
    public static class FaceChannels
    {
        /// <summary>How many channels there are.</summary>
        public const int Count = Arkit.Count + Visemes.Count;

        /// <summary>What a viseme's channel name begins with.</summary>
        public const string VisemePrefix = "viseme_";

        private static readonly string[] NameArray = MakeNames();

        /// <summary>Names of the channels: ARKit's, then <c>viseme_sil</c> to <c>viseme_ou</c>.</summary>
        public static IReadOnlyList<string> Names => NameArray;

        /// <summary>Position of a channel, or -1 if there is none of that exact name.</summary>
        public static int IndexOf(string name)
        {
            return Array.IndexOf(NameArray, name);
        }

        /// <summary>Whether a channel belongs to eyes, brows, cheek squint or nose.</summary>
        public static bool IsUpperFace(int channel)
        {
            return channel < Arkit.Count && Arkit.IsUpperFace(channel);
        }

        /// <summary>Fills in the visemes of the face that the first 52 channels hold. Allocates nothing.</summary>
        public static void AddVisemes(Span<float> channels)
        {
            Visemes.FromFace(channels.Slice(0, Arkit.Count), channels.Slice(Arkit.Count, Visemes.Count));
        }

        private static string[] MakeNames()
        {
            var names = new List<string>(Arkit.Names);
            foreach (string viseme in Visemes.Names)
            {
                names.Add(VisemePrefix + viseme);
            }

            return names.ToArray();
        }
    }
}
