// Which of a character's shapes each channel of the face moves: an asset, made by Auto-map and corrected by hand.
using System;
using System.Collections.Generic;
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>A retarget map as an asset.</summary>
    [CreateAssetMenu(menuName = "LiveTalker/Blendshape Map", fileName = "BlendshapeMap")]
    public sealed class BlendshapeMap : ScriptableObject
    {
        [SerializeField]
        [Tooltip("One line for each shape that something moves. Several lines may have the same source or the same target.")]
        private List<Line> lines = new List<Line>();

        [SerializeField]
        [HideInInspector]
        private float[] restPose = new float[0];

        /// <summary>How many lines it has.</summary>
        public int Count => lines.Count;

        /// <summary>The silent face that is taken out of every face; 52 coefficients, or empty.</summary>
        public float[] RestPose
        {
            get => restPose;
            set => restPose = value ?? new float[0];
        }

        /// <summary>The bindings, in order.</summary>
        public IEnumerable<RetargetBinding> Bindings
        {
            get
            {
                foreach (Line line in lines)
                {
                    yield return new RetargetBinding(line.source, line.target, line.gain, line.offset);
                }
            }
        }

        /// <summary>The names of a mesh's shapes, in its order.</summary>
        public static List<string> ShapeNames(Mesh mesh)
        {
            var names = new List<string>();
            for (int i = 0; mesh != null && i < mesh.blendShapeCount; i++)
            {
                names.Add(mesh.GetBlendShapeName(i));
            }

            return names;
        }

        /// <summary>Replaces all lines by what the names of the meshes' shapes suggest.</summary>
        /// <returns>The guesses, for a person to look at.</returns>
        public IReadOnlyList<AutoMapMatch> AutoMapFrom(IEnumerable<Mesh> meshes)
        {
            var names = new List<string>();
            foreach (Mesh mesh in meshes)
            {
                foreach (string name in ShapeNames(mesh))
                {
                    if (!names.Contains(name))
                    {
                        names.Add(name);
                    }
                }
            }

            IReadOnlyList<AutoMapMatch> matches = AutoMap.Match(names);
            lines.Clear();
            foreach (AutoMapMatch match in matches)
            {
                lines.Add(new Line
                {
                    source = match.Binding.Source,
                    target = match.Binding.Target,
                    gain = match.Binding.Gain,
                    offset = match.Binding.Offset,
                });
            }

            return matches;
        }

        [Serializable]
        private sealed class Line
        {
            [Tooltip("What moves the shape: an ARKit name such as jawOpen, or viseme_aa and so on.")]
            public string source = "jawOpen";

            [Tooltip("The shape's name on the mesh, exactly.")]
            public string target = "";

            [Range(-4, 4)]
            [Tooltip("Factor. 1 leaves the movement as it is, -1 with an offset of 1 reverses it.")]
            public float gain = 1;

            [Range(-1, 1)]
            [Tooltip("Added to the shape, 0 to 1 being its whole way.")]
            public float offset;
        }
    }
}
