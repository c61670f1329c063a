// One mesh that a character's face moves.
using System.Collections.Generic;
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>A SkinnedMeshRenderer, the map resolved against its mesh, and what else animates it.</summary>
    internal sealed class DrivenRenderer
    {
        private const float Full = 100f; // Unity's weights are percent

        private readonly SkinnedMeshRenderer renderer;
        private readonly RetargetMap map;
        private readonly ShapeMixer mixer;
        private readonly float[] shapes;

        public DrivenRenderer(SkinnedMeshRenderer renderer, IEnumerable<RetargetBinding> bindings)
        {
            this.renderer = renderer;
            map = new RetargetMap(bindings, BlendshapeMap.ShapeNames(renderer.sharedMesh));
            mixer = new ShapeMixer(map.TargetCount);
            shapes = new float[map.TargetCount];
        }

        /// <summary>How many shapes it moves.</summary>
        public int BoundCount
        {
            get
            {
                int count = 0;
                for (int i = 0; i < map.TargetCount; i++)
                {
                    count += map.IsBound(i) ? 1 : 0;
                }

                return count;
            }
        }

        /// <summary>Moves the shapes. Allocates nothing.</summary>
        public void Apply(float[] channels, ShapeMix mouth, ShapeMix upperFace)
        {
            map.Apply(channels, shapes);
            for (int i = 0; i < shapes.Length; i++)
            {
                ShapeMix mix = map.IsUpperFace(i) ? upperFace : mouth;
                if (map.IsBound(i) && mix != ShapeMix.LeaveAlone)
                {
                    float current = renderer.GetBlendShapeWeight(i) / Full;
                    renderer.SetBlendShapeWeight(i, Full * mixer.Mix(i, current, shapes[i], mix));
                }
            }
        }

        /// <summary>Puts back what was there before.</summary>
        public void Restore()
        {
            for (int i = 0; renderer != null && i < shapes.Length; i++)
            {
                if (mixer.IsWritten(i))
                {
                    renderer.SetBlendShapeWeight(i, Full * mixer.Underlying(i));
                }
            }
        }
    }
}
