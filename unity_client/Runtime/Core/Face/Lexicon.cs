// Looks shape names up: exactly, by words and side, or by the nearest spelling.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>Known shape names and the channels that move them.</summary>
    internal sealed class Lexicon
    {
        private readonly Dictionary<string, Entry> byOrder = new Dictionary<string, Entry>(StringComparer.Ordinal);
        private readonly Dictionary<string, Entry> byKey = new Dictionary<string, Entry>(StringComparer.Ordinal);

        /// <summary>ARKit's own names and those of the known tools.</summary>
        public static Lexicon OfCoefficients()
        {
            var lexicon = new Lexicon();
            foreach (string name in Arkit.Names)
            {
                lexicon.Add(name, new[] { name }, MatchKind.SameName);
            }

            lexicon.AddLines(ShapeNameTables.Coefficients, MatchKind.KnownName);
            return lexicon;
        }

        public static Lexicon Parse(string lines, MatchKind kind)
        {
            var lexicon = new Lexicon();
            lexicon.AddLines(lines, kind);
            return lexicon;
        }

        /// <summary>Finds a name whose words and side are known.</summary>
        public bool TryFind(ShapeName name, out Entry entry)
        {
            if (byOrder.TryGetValue(name.Ordered, out entry))
            {
                return true;
            }

            if (!name.HasOneSideAtMost)
            {
                return false;
            }

            if (byKey.TryGetValue(name.Key, out entry))
            {
                return true;
            }

            return name.Side.Length > 0
                ? byKey.TryGetValue(name.Core + "|", out entry) && entry.Channels.Length == 1 // half of a shape without sides
                : TryFindBothSides(name, out entry);
        }

        /// <summary>Finds the known name of the same side whose spelling is nearest, if it is near enough and no other is as near.</summary>
        public bool TryFindNearest(ShapeName name, double nearEnough, out Entry entry)
        {
            entry = default;
            double best = 0;
            bool unique = false;
            if (!name.HasOneSideAtMost || name.Core.Length < 4)
            {
                return false; // too short to be like anything
            }

            foreach (KeyValuePair<string, Entry> known in byKey)
            {
                int bar = known.Key.IndexOf('|');
                if (known.Key.Substring(bar + 1) != name.Side)
                {
                    continue;
                }

                double likeness = Likeness(known.Key.Substring(0, bar), name.Core);
                if (likeness > best)
                {
                    best = likeness;
                    entry = known.Value;
                    unique = true;
                }
                else if (likeness == best && best > 0 && known.Value.Channels[0] != entry.Channels[0])
                {
                    unique = false;
                }
            }

            return unique && best >= nearEnough;
        }

        /// <summary>
        /// 1 for equal words, less by the share of letters that were added, left out, replaced or swapped with their
        /// neighbour (Damerau 1964, no letter touched twice).
        /// </summary>
        public static double Likeness(string a, string b)
        {
            var distance = new int[a.Length + 1, b.Length + 1];
            for (int i = 0; i <= a.Length; i++)
            {
                distance[i, 0] = i;
            }

            for (int j = 0; j <= b.Length; j++)
            {
                distance[0, j] = j;
            }

            for (int i = 1; i <= a.Length; i++)
            {
                for (int j = 1; j <= b.Length; j++)
                {
                    int least = distance[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                    least = Math.Min(least, 1 + Math.Min(distance[i - 1, j], distance[i, j - 1]));
                    if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    {
                        least = Math.Min(least, 1 + distance[i - 2, j - 2]);
                    }

                    distance[i, j] = least;
                }
            }

            int longest = Math.Max(a.Length, b.Length);
            return longest == 0 ? 1 : 1 - ((double)distance[a.Length, b.Length] / longest);
        }

        // mouthSmile, said of both sides at once.
        private bool TryFindBothSides(ShapeName name, out Entry entry)
        {
            entry = default;
            if (!byKey.TryGetValue(name.Core + "|l", out Entry left) || !byKey.TryGetValue(name.Core + "|r", out Entry right))
            {
                return false;
            }

            string[] channels = left.Channels[0] == right.Channels[0]
                ? left.Channels
                : new[] { left.Channels[0], right.Channels[0] };
            entry = new Entry(channels, left.Kind);
            return true;
        }

        private void AddLines(string lines, MatchKind kind)
        {
            foreach (string line in lines.Split('\n'))
            {
                string text = line.Trim();
                if (text.Length == 0 || text[0] == '#')
                {
                    continue;
                }

                if (text.Contains("{S}"))
                {
                    AddLine(text.Replace("{S}", "Left").Replace("{O}", "Right"), kind);
                    AddLine(text.Replace("{S}", "Right").Replace("{O}", "Left"), kind);
                }
                else
                {
                    AddLine(text, kind);
                }
            }
        }

        private void AddLine(string line, MatchKind kind)
        {
            int equals = line.IndexOf('=');
            string[] channels = line.Substring(equals + 1).Split('+');
            for (int i = 0; i < channels.Length; i++)
            {
                channels[i] = channels[i].Trim();
            }

            Add(line.Substring(0, equals).Trim(), channels, kind);
        }

        private void Add(string name, string[] channels, MatchKind kind)
        {
            ShapeName parsed = ShapeName.Parse(name);
            var entry = new Entry(channels, kind);
            if (!byOrder.ContainsKey(parsed.Ordered))
            {
                byOrder.Add(parsed.Ordered, entry);
            }

            if (parsed.HasOneSideAtMost && !byKey.ContainsKey(parsed.Key))
            {
                byKey.Add(parsed.Key, entry);
            }
        }

        /// <summary>What is known of a name.</summary>
        internal readonly struct Entry
        {
            public Entry(string[] channels, MatchKind kind)
            {
                Channels = channels;
                Kind = kind;
            }

            public string[] Channels { get; }

            public MatchKind Kind { get; }
        }
    }
}
