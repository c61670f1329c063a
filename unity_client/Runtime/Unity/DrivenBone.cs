// One bone that turns a little on top of whatever animates it.
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>Adds a rotation to a bone each frame, whether or not an Animator writes it in between.</summary>
    internal sealed class DrivenBone
    {
        private readonly Transform bone;
        private Quaternion underlying;
        private Quaternion written;

        public DrivenBone(Transform bone)
        {
            this.bone = bone;
            underlying = written = bone.localRotation;
        }

        /// <summary>Turns the bone.</summary>
        /// <param name="character">Whose forward, up and left the angles are about.</param>
        /// <param name="pitch">Degrees, down is positive.</param>
        /// <param name="yaw">Degrees, the character's left is positive.</param>
        /// <param name="roll">Degrees, to the character's left shoulder is positive.</param>
        public void Turn(Transform character, float pitch, float yaw, float roll)
        {
            if (bone.localRotation != written)
            {
                underlying = bone.localRotation; // something else has moved it since
            }

            // In the character's own space: bones point wherever their rig has them point.
            bone.localRotation = underlying;
            Quaternion turn = character.rotation * Quaternion.Euler(pitch, -yaw, roll) * Quaternion.Inverse(character.rotation);
            bone.rotation = turn * bone.rotation;
            written = bone.localRotation;
        }

        /// <summary>Puts back what was there before.</summary>
        public void Restore()
        {
            if (bone != null && bone.localRotation == written)
            {
                bone.localRotation = underlying;
            }
        }
    }
}
