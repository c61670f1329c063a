// Turns a baked face into an AnimationClip of a character's shapes.
using System.Collections.Generic;
using UnityEditor;
using UnityEngine;

namespace LiveTalker.Unity.Editing
{
    /// <summary>Writes curves for every shape that a map moves.</summary>
    internal static class FaceClipWriter
    {
        // A tenth of a percent of a shape's way: nobody sees it, and most keys go.
        private const float Tolerance = 0.001f;
        private const float Full = 100f;

        /// <summary>Writes the curves of all meshes of a character.</summary>
        /// <param name="clip">Receives the curves.</param>
        /// <param name="baked">The face.</param>
        /// <param name="root">Where the Animator is, or will be: paths begin there.</param>
        /// <param name="renderers">The meshes.</param>
        /// <param name="map">Which shape is which; null guesses by name.</param>
        /// <returns>How many curves were written.</returns>
        public static int Write(AnimationClip clip, BakedFace baked, Transform root, List<SkinnedMeshRenderer> renderers, BlendshapeMap map)
        {
            clip.frameRate = baked.FrameRate;
            int written = 0;
            foreach (SkinnedMeshRenderer renderer in renderers)
            {
                List<string> names = BlendshapeMap.ShapeNames(renderer.sharedMesh);
                var retarget = new RetargetMap(Bindings(map, names), names);
                string path = AnimationUtility.CalculateTransformPath(renderer.transform, root);
                float[][] curves = Retarget(baked, retarget);
                for (int shape = 0; shape < names.Count; shape++)
                {
                    if (retarget.IsBound(shape))
                    {
                        EditorCurveBinding binding =
                            EditorCurveBinding.FloatCurve(path, typeof(SkinnedMeshRenderer), "blendShape." + names[shape]);
                        AnimationUtility.SetEditorCurve(clip, binding, Curve(curves[shape], baked.FrameRate));
                        written++;
                    }
                }
            }

            return written;
        }

        private static IEnumerable<RetargetBinding> Bindings(BlendshapeMap map, List<string> names)
        {
            if (map != null && map.Count > 0)
            {
                return map.Bindings;
            }

            var guessed = new List<RetargetBinding>();
            foreach (AutoMapMatch match in AutoMap.Match(names))
            {
                guessed.Add(match.Binding);
            }

            return guessed;
        }

        private static float[][] Retarget(BakedFace baked, RetargetMap map)
        {
            var curves = new float[map.TargetCount][];
            for (int shape = 0; shape < curves.Length; shape++)
            {
                curves[shape] = new float[baked.Frames.Count];
            }

            var channels = new float[FaceChannels.Count];
            var shapes = new float[map.TargetCount];
            for (int n = 0; n < baked.Frames.Count; n++)
            {
                baked.Frames[n].CopyTo(channels, 0);
                FaceChannels.AddVisemes(channels);
                map.Apply(channels, shapes);
                for (int shape = 0; shape < curves.Length; shape++)
                {
                    curves[shape][n] = shapes[shape];
                }
            }

            return curves;
        }

        private static AnimationCurve Curve(float[] values, int frameRate)
        {
            var curve = new AnimationCurve();
            foreach (int n in CurveSimplifier.Keep(values, Tolerance))
            {
                curve.AddKey(new Keyframe(n / (float)frameRate, values[n] * Full));
            }

            for (int key = 0; key < curve.length; key++)
            {
                AnimationUtility.SetKeyLeftTangentMode(curve, key, AnimationUtility.TangentMode.Linear);
                AnimationUtility.SetKeyRightTangentMode(curve, key, AnimationUtility.TangentMode.Linear);
            }

            return curve;
        }
    }
}
