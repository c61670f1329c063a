// Plays a line that was baked with Window > LiveTalker > Bake Audio Clip: sound and face from the same moment.
using UnityEngine;

namespace LiveTalker.Samples
{
    /// <summary>Needs no server: everything is in the clip.</summary>
    [RequireComponent(typeof(AudioSource))]
    [RequireComponent(typeof(Animation))]
    public sealed class PlayBakedLine : MonoBehaviour
    {
        [SerializeField]
        [Tooltip("The recorded line.")]
        private AudioClip line;

        [SerializeField]
        [Tooltip("What was baked from it.")]
        private AnimationClip face;

        private AudioSource source;
        private Animation player;

        /// <summary>Says the line.</summary>
        public void Say()
        {
            source.clip = line;
            source.Play();
            player.Play(face.name);
        }

        private void Awake()
        {
            source = GetComponent<AudioSource>();
            player = GetComponent<Animation>();
            face.legacy = true; // the Animation component plays legacy clips only
            player.AddClip(face, face.name);
        }

        private void Start()
        {
            Say();
        }

        // The sound is the clock: whatever the frame rate does, the face is where the sound is.
        private void LateUpdate()
        {
            if (source.isPlaying)
            {
                player[face.name].time = source.time;
            }
        }
    }
}
