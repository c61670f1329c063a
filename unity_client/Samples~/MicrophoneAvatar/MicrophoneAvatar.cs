// Your own voice on an avatar: builds the components, and holds push-to-talk and mute on buttons.
using LiveTalker.Unity;
using UnityEngine;

namespace LiveTalker.Samples
{
    /// <summary>Put it on an avatar with ARKit, VRM, CC4 or viseme shapes, give it a connection, and press Play.</summary>
    public sealed class MicrophoneAvatar : MonoBehaviour
    {
        [SerializeField]
        [Tooltip("The server: Create > LiveTalker > Connection.")]
        private LiveTalkerConnection connection;

        [SerializeField]
        [Tooltip("Part of the microphone's name; empty is the default one.")]
        private string device = "";

        private LiveTalkerMicrophone microphone;

        private void Awake()
        {
            // Components read their fields when they are enabled, so they are set up on an inactive object.
            var voice = new GameObject("Voice");
            voice.SetActive(false);
            voice.transform.SetParent(transform, false);
            microphone = voice.AddComponent<LiveTalkerMicrophone>();
            microphone.Connection = connection;
            microphone.Device = device;
            voice.SetActive(true);
            gameObject.AddComponent<LiveTalkerCharacter>().Voice = microphone;
        }

        private void OnGUI()
        {
            GUILayout.Label($"{microphone.State}, level {microphone.Level:0.00}, {microphone.DelaySeconds * 1000:0} ms behind");
            GUILayout.Label(microphone.Problem);
            microphone.Muted = GUILayout.Toggle(microphone.Muted, "Mute");
            microphone.PushToTalk = GUILayout.Toggle(microphone.PushToTalk, "Push to talk");
            if (microphone.PushToTalk)
            {
                microphone.IsTalking = GUILayout.RepeatButton("Hold to talk");
            }

            foreach (string name in Microphone.devices)
            {
                if (GUILayout.Button(name))
                {
                    microphone.Device = name;
                }
            }
        }
    }
}
