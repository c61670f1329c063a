// Takes a shape's name apart: words in lower case, and which side of the face it is on.
using System;
using System.Collections.Generic;
using System.Text;

namespace LiveTalker
{
    /// <summary>A shape's name without what differs from tool to tool: prefixes, numbers, case, how a side is written.</summary>
    internal sealed class ShapeName
    {
        private ShapeName(List<string> words)
        {
            Words = words;
            Ordered = string.Join(" ", words);
            var core = new StringBuilder();
            int sides = 0;
            foreach (string word in words)
            {
                if (IsSide(word))
                {
                    sides++;
                    Side = word;
                }
                else
                {
                    core.Append(word);
                }
            }

            Core = core.ToString();
            HasOneSideAtMost = sides <= 1;
            if (!HasOneSideAtMost)
            {
                Side = "";
            }
        }

        /// <summary>Lower-case words; sides are <c>l</c> and <c>r</c>.</summary>
        public IReadOnlyList<string> Words { get; }

        /// <summary>The words in order.</summary>
        public string Ordered { get; }

        /// <summary>The words without sides, run together.</summary>
        public string Core { get; }

        /// <summary><c>l</c>, <c>r</c> or empty.</summary>
        public string Side { get; } = "";

        /// <summary>False for names such as Eye_L_Look_R, whose words only make sense in order.</summary>
        public bool HasOneSideAtMost { get; }

        /// <summary>Core and side, for names that have at most one.</summary>
        public string Key => Core + "|" + Side;

        public static ShapeName Parse(string name)
        {
            return new ShapeName(Split(name));
        }

        /// <summary>The same name without its first words.</summary>
        public ShapeName Without(int words)
        {
            var rest = new List<string>(Words);
            rest.RemoveRange(0, words);
            return new ShapeName(rest);
        }

        private static bool IsSide(string word)
        {
            return word == "l" || word == "r";
        }

        // "head.browInner_L" -> head brow inner l; "LEyeBlink" -> l eye blink; "A25_Jaw_Open" -> jaw open.
        private static List<string> Split(string own)
        {
            var words = new List<string>();
            var numbered = false;
            int begin = 0;
            for (int i = 0; i <= own.Length; i++)
            {
                bool ends = i == own.Length || !char.IsLetterOrDigit(own[i]) || (i > begin && StartsWord(own, i));
                if (!ends)
                {
                    continue;
                }

                AddWord(own, begin, i, words, ref numbered);
                begin = i < own.Length && !char.IsLetterOrDigit(own[i]) ? i + 1 : i;
            }

            return words;
        }

        private static void AddWord(string name, int begin, int end, List<string> words, ref bool numbered)
        {
            if (end <= begin)
            {
                return;
            }

            string word = name.Substring(begin, end - begin).ToLowerInvariant();
            if (char.IsDigit(word[0]))
            {
                // A number right after the first letter makes both an enumeration, as in A25_Jaw_Open.
                if (words.Count == 1 && words[0].Length == 1 && !numbered)
                {
                    words.Clear();
                }

                numbered = true;
                return;
            }

            // MetaHuman's quarters of the lips, as in mouthFunnelUL: two words without a boundary to see.
            if (word.Length == 2 && char.IsUpper(name[begin]) && (word[0] == 'u' || word[0] == 'd') && IsSide(word.Substring(1)))
            {
                words.Add(word.Substring(0, 1));
                word = word.Substring(1);
            }

            words.Add(word == "left" ? "l" : word == "right" ? "r" : word);
        }

        private static bool StartsWord(string name, int at)
        {
            char before = name[at - 1];
            char here = name[at];
            if (char.IsDigit(before) != char.IsDigit(here))
            {
                return true;
            }

            if (char.IsUpper(here))
            {
                return char.IsLower(before) || (at + 1 < name.Length && char.IsLower(name[at + 1]) && char.IsLetter(before));
            }

            return false;
        }
    }
}
