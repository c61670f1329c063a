// From the face's channels to a character's own shapes: by name, with gain and offset, many to one and one to many.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>One line of a <see cref="RetargetMap"/>: a channel moves a shape.</summary>
    public readonly struct RetargetBinding
    {
        /// <param name="source">A name of <see cref="FaceChannels.Names"/>.</param>
        /// <param name="target">The character's shape.</param>
        /// <param name="gain">Factor; negative reverses.</param>
        /// <param name="offset">Added to the shape.</param>
        public RetargetBinding(string source, string target, float gain = 1, float offset = 0)
        {
            Source = source;
            Target = target;
            Gain = gain;
            Offset = offset;
        }

        /// <summary>A name of <see cref="FaceChannels.Names"/>.</summary>
        public string Source { get; }

        /// <summary>The character's shape.</summary>
        public string Target { get; }

        /// <summary>Factor.</summary>
        public float Gain { get; }

        /// <summary>Added.</summary>
        public float Offset { get; }
    }

    /// <summary>Bindings resolved against one mesh. Applying it allocates nothing.</summary>
    public sealed class RetargetMap
    {
        private readonly int[] sources;
        private readonly int[] targets;
        private readonly float[] gains;
        private readonly float[] offsets;
        private readonly bool[] isBound;
        private readonly bool[] isUpperFace;

        /// <summary>Resolves bindings; those whose target the mesh lacks are left out and listed.</summary>
        /// <param name="bindings">In any order; several may have the same source or target.</param>
        /// <param name="targetNames">The mesh's shapes, in its order.</param>
        /// <exception cref="ArgumentException">A source is no channel.</exception>
        public RetargetMap(IEnumerable<RetargetBinding> bindings, IReadOnlyList<string> targetNames)
        {
            var positions = new Dictionary<string, int>(StringComparer.Ordinal);
            for (int i = 0; i < targetNames.Count; i++)
            {
                positions[targetNames[i]] = i;
            }

            var kept = new List<RetargetBinding>();
            var missing = new List<string>();
            foreach (RetargetBinding binding in bindings)
            {
                if (FaceChannels.IndexOf(binding.Source) < 0)
                {
                    throw new ArgumentException(
                        $"The map's source \"{binding.Source}\" is no face channel. Choose an ARKit name such as jawOpen, or viseme_aa to viseme_ou.");
                }

                if (positions.ContainsKey(binding.Target))
                {
                    kept.Add(binding);
                }
                else
                {
                    missing.Add(binding.Target);
                }
            }

            MissingTargets = missing;
            TargetCount = targetNames.Count;
            sources = new int[kept.Count];
            targets = new int[kept.Count];
            gains = new float[kept.Count];
            offsets = new float[kept.Count];
            isBound = new bool[targetNames.Count];
            isUpperFace = new bool[targetNames.Count];
            var lower = new bool[targetNames.Count];
            for (int i = 0; i < kept.Count; i++)
            {
                sources[i] = FaceChannels.IndexOf(kept[i].Source);
                targets[i] = positions[kept[i].Target];
                gains[i] = kept[i].Gain;
                offsets[i] = kept[i].Offset;
                isBound[targets[i]] = true;
                lower[targets[i]] |= !FaceChannels.IsUpperFace(sources[i]);
            }

            for (int i = 0; i < isBound.Length; i++)
            {
                isUpperFace[i] = isBound[i] && !lower[i];
            }
        }

        /// <summary>How many shapes the mesh has.</summary>
        public int TargetCount { get; }

        /// <summary>Targets of bindings that the mesh lacks.</summary>
        public IReadOnlyList<string> MissingTargets { get; }

        /// <summary>Whether anything moves a shape.</summary>
        public bool IsBound(int target)
        {
            return isBound[target];
        }

        /// <summary>Whether only eyes, brows, cheek squint or nose move a shape.</summary>
        public bool IsUpperFace(int target)
        {
            return isUpperFace[target];
        }

        /// <summary>Computes the shapes: for each, the sum of gain times channel plus offset, cut off at 0 and 1.</summary>
        /// <param name="channels">The 67 channels.</param>
        /// <param name="shapes">Receives a value for each of the mesh's shapes; 0 for those that nothing moves.</param>
        public void Apply(ReadOnlySpan<float> channels, Span<float> shapes)
        {
            shapes.Slice(0, TargetCount).Clear();
            for (int i = 0; i < sources.Length; i++)
            {
                shapes[targets[i]] += gains[i] * channels[sources[i]] + offsets[i];
            }

            for (int i = 0; i < TargetCount; i++)
            {
                float value = shapes[i];
                shapes[i] = value < 0 ? 0 : value > 1 ? 1 : value;
            }
        }
    }
}
