// Two characters who say their lines in turn; a click interrupts whoever speaks.
using System.Collections;
using LiveTalker.Unity;
using UnityEngine;

namespace LiveTalker.Samples
{
    /// <summary>Each character has a LiveTalker Character, an AudioSource and a LiveTalker Audio Source of its own.</summary>
    public sealed class Conversation : MonoBehaviour
    {
        [SerializeField]
        [Tooltip("Who speaks first.")]
        private LiveTalkerAudioSource first;

        [SerializeField]
        [Tooltip("Who answers.")]
        private LiveTalkerAudioSource second;

        [SerializeField]
        [Tooltip("The lines, in turn: the first character's, the second's, the first's and so on.")]
        private AudioClip[] lines = new AudioClip[0];

        [SerializeField]
        [Range(0f, 2f)]
        [Tooltip("Silence between two lines, seconds.")]
        private float pause = 0.4f;

        private LiveTalkerAudioSource speaking;

        private IEnumerator Start()
        {
            for (int i = 0; i < lines.Length; i++)
            {
                speaking = i % 2 == 0 ? first : second;
                speaking.Speak(lines[i]);
                // The sound is heard a little late, so that the face is there.
                yield return new WaitForSeconds(lines[i].length + speaking.AudioDelay + pause);
            }

            speaking = null;
        }

        private void OnGUI()
        {
            if (speaking != null && GUILayout.Button("Interrupt"))
            {
                StopAllCoroutines();
                speaking.Interrupt();
                speaking = null;
            }
        }
    }
}
