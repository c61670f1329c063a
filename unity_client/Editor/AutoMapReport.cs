// Says what Auto-map found, so that a person looks where it was not sure.
using System.Collections.Generic;

namespace LiveTalker.Unity.Editing
{
    /// <summary>Describes guesses.</summary>
    internal static class AutoMapReport
    {
        public static string Describe(IReadOnlyList<AutoMapMatch> matches)
        {
            var sources = new HashSet<string>();
            var unsure = new List<string>();
            foreach (AutoMapMatch match in matches)
            {
                sources.Add(match.Binding.Source);
                if (match.Kind == MatchKind.NearestName)
                {
                    unsure.Add($"{match.Binding.Target} as {match.Binding.Source}");
                }
            }

            if (matches.Count == 0)
            {
                return "No shape's name was recognised. Are these the face's meshes? Fill the map in by hand.";
            }

            string text = $"{matches.Count} shapes are moved by {sources.Count} channels.";
            if (!sources.Contains("jawOpen") && !sources.Contains(FaceChannels.VisemePrefix + "aa"))
            {
                text += " Nothing opens the mouth: look for the jaw's shape and add it.";
            }

            return unsure.Count == 0 ? text : text + " Look at these, whose names are only similar: " + string.Join(", ", unsure) + ".";
        }
    }
}
