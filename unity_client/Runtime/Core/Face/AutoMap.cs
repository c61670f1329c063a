// Guesses which shapes of a mesh are which channels of the face, from their names.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>How a binding of <see cref="AutoMap"/> was found.</summary>
    public enum MatchKind
    {
        /// <summary>The shape has the channel's own name, but for prefix, case and how a side is written.</summary>
        SameName,

        /// <summary>The name is one that a known tool gives the shape.</summary>
        KnownName,

        /// <summary>The name is close to one of those: look at it.</summary>
        NearestName,
    }

    /// <summary>A guess of <see cref="AutoMap"/>.</summary>
    public readonly struct AutoMapMatch
    {
        internal AutoMapMatch(RetargetBinding binding, MatchKind kind)
        {
            Binding = binding;
            Kind = kind;
        }

        /// <summary>The binding.</summary>
        public RetargetBinding Binding { get; }

        /// <summary>How it was found.</summary>
        public MatchKind Kind { get; }
    }

    /// <summary>Maps shape names of ARKit, Perfect Sync, VRM, VRoid, MMD, CC3/CC4, MetaHuman and viseme avatars.</summary>
    public static class AutoMap
    {
        // As many coefficients of jaw and mouth make visemes superfluous, and both together would move the mouth twice.
        private const int EnoughMouth = 8;
        private const int FewestForPrefix = 3;
        private const double PrefixShare = 0.6;
        private const double NearEnough = 0.8;

        // A prefix of all names that begins like this is a part of the face, not of the tool.
        private static readonly HashSet<string> FaceWords = new HashSet<string>(StringComparer.Ordinal)
        {
            "eye", "brow", "jaw", "mouth", "cheek", "nose", "tongue", "viseme", "v", "l", "r", "fcl", "mth",
        };

        private static readonly Lexicon Coefficients = Lexicon.OfCoefficients();
        private static readonly Lexicon VisemeShapes = Lexicon.Parse(ShapeNameTables.VisemeShapes, MatchKind.KnownName);

        /// <summary>Guesses the bindings of a mesh.</summary>
        /// <param name="shapeNames">The mesh's shape names, as they are.</param>
        /// <returns>Bindings in the order of the shapes; shapes that nothing is known about are left out.</returns>
        public static IReadOnlyList<AutoMapMatch> Match(IReadOnlyList<string> shapeNames)
        {
            ShapeName[] parsed = Parse(shapeNames);
            var found = new List<AutoMapMatch>();
            int mouth = AddMatches(found, shapeNames, parsed, Coefficients);
            if (mouth < EnoughMouth)
            {
                AddMatches(found, shapeNames, parsed, VisemeShapes);
            }

            AddNearest(found, shapeNames, parsed);
            Dictionary<string, MatchKind> best = BestKinds(found);
            found.RemoveAll(match => match.Kind > best[match.Binding.Source]);
            var order = new Dictionary<string, int>(StringComparer.Ordinal);
            for (int i = 0; i < shapeNames.Count; i++)
            {
                order[shapeNames[i]] = i;
            }

            found.Sort((a, b) =>
            {
                int byTarget = order[a.Binding.Target].CompareTo(order[b.Binding.Target]);
                return byTarget != 0 ? byTarget : string.CompareOrdinal(a.Binding.Source, b.Binding.Source);
            });
            return found;
        }

        private static int AddMatches(
            List<AutoMapMatch> found, IReadOnlyList<string> shapeNames, ShapeName[] parsed, Lexicon lexicon)
        {
            int mouth = 0;
            for (int i = 0; i < parsed.Length; i++)
            {
                if (TryFindWithin(lexicon, parsed[i], out Lexicon.Entry entry))
                {
                    Add(found, shapeNames[i], entry, entry.Kind);
                    int channel = FaceChannels.IndexOf(entry.Channels[0]);
                    mouth += channel < Arkit.Count && !FaceChannels.IsUpperFace(channel) ? 1 : 0;
                }
            }

            return mouth;
        }

        // Meshes, nodes and tools put words of their own first. What is left without them must still say something.
        private static bool TryFindWithin(Lexicon lexicon, ShapeName name, out Lexicon.Entry entry)
        {
            for (int words = 0; words < name.Words.Count; words++)
            {
                ShapeName rest = words == 0 ? name : name.Without(words);
                if ((words == 0 || rest.Words.Count > 1 || rest.Core.Length >= 5) && lexicon.TryFind(rest, out entry))
                {
                    return true;
                }
            }

            entry = default;
            return false;
        }

        private static ShapeName FromFirstFaceWord(ShapeName name)
        {
            for (int i = 0; i < name.Words.Count; i++)
            {
                if (FaceWords.Contains(name.Words[i]))
                {
                    return i == 0 ? name : name.Without(i);
                }
            }

            return name;
        }

        private static void AddNearest(List<AutoMapMatch> found, IReadOnlyList<string> shapeNames, ShapeName[] parsed)
        {
            var taken = new HashSet<string>(StringComparer.Ordinal);
            foreach (AutoMapMatch match in found)
            {
                taken.Add(match.Binding.Target);
            }

            for (int i = 0; i < parsed.Length; i++)
            {
                if (!taken.Contains(shapeNames[i]) && Coefficients.TryFindNearest(FromFirstFaceWord(parsed[i]), NearEnough, out Lexicon.Entry entry))
                {
                    Add(found, shapeNames[i], entry, MatchKind.NearestName);
                }
            }
        }

        private static void Add(List<AutoMapMatch> found, string shape, Lexicon.Entry entry, MatchKind kind)
        {
            float share = 1f / entry.Channels.Length;
            foreach (string channel in entry.Channels)
            {
                found.Add(new AutoMapMatch(new RetargetBinding(channel, shape, share), kind));
            }
        }

        // A mesh that has jawOpen does not mean the same by another shape whose name is only like it.
        private static Dictionary<string, MatchKind> BestKinds(List<AutoMapMatch> found)
        {
            var best = new Dictionary<string, MatchKind>(StringComparer.Ordinal);
            foreach (AutoMapMatch match in found)
            {
                string source = match.Binding.Source;
                if (!best.TryGetValue(source, out MatchKind kind) || match.Kind < kind)
                {
                    best[source] = match.Kind;
                }
            }

            return best;
        }

        private static ShapeName[] Parse(IReadOnlyList<string> shapeNames)
        {
            var parsed = new ShapeName[shapeNames.Count];
            for (int i = 0; i < parsed.Length; i++)
            {
                parsed[i] = ShapeName.Parse(shapeNames[i]);
            }

            while (TryFindPrefix(parsed, out string prefix))
            {
                for (int i = 0; i < parsed.Length; i++)
                {
                    if (parsed[i].Words.Count > 1 && parsed[i].Words[0] == prefix)
                    {
                        parsed[i] = parsed[i].Without(1);
                    }
                }
            }

            return parsed;
        }

        // The first word that most names share, if it is not a part of the face.
        private static bool TryFindPrefix(ShapeName[] parsed, out string prefix)
        {
            prefix = null;
            if (parsed.Length < FewestForPrefix)
            {
                return false;
            }

            var counts = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (ShapeName name in parsed)
            {
                if (name.Words.Count > 1 && !FaceWords.Contains(name.Words[0]))
                {
                    counts.TryGetValue(name.Words[0], out int count);
                    counts[name.Words[0]] = count + 1;
                    if (count + 1 >= PrefixShare * parsed.Length)
                    {
                        prefix = name.Words[0];
                    }
                }
            }

            return prefix != null;
        }
    }
}
