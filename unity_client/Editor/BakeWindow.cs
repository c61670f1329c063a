// A window that turns a recorded line into an AnimationClip: no server is needed when the game runs.
using System;
using System.Threading;
using UnityEditor;
using UnityEngine;

namespace LiveTalker.Unity.Editing
{
    /// <summary>Bakes an AudioClip for a character.</summary>
    internal sealed class BakeWindow : EditorWindow
    {
        private const int MaxRate = 48000;

        [SerializeField]
        private AudioClip line;

        [SerializeField]
        private LiveTalkerCharacter character;

        [SerializeField]
        private LiveTalkerConnection connection;

        [SerializeField]
        private LatencyPreset latency = LatencyPreset.Quality;

        [SerializeField]
        private LiveTalkerVoice.FrameRateChoice frameRate = LiveTalkerVoice.FrameRateChoice.Sixty;

        [SerializeField]
        private string identity = "";

        [SerializeField]
        private int seed;

        private CancellationTokenSource running;
        private float progress;
        private string result = "";
        private MessageType kind = MessageType.None;

        [MenuItem("Window/LiveTalker/Bake Audio Clip")]
        private static void Open()
        {
            GetWindow<BakeWindow>("Bake face");
        }

        private void OnDisable()
        {
            running?.Cancel();
        }

        private void OnGUI()
        {
            line = (AudioClip)EditorGUILayout.ObjectField(
                new GUIContent("Audio clip", "The recorded line. Its load type must be Decompress On Load."), line, typeof(AudioClip), false);
            character = (LiveTalkerCharacter)EditorGUILayout.ObjectField(
                new GUIContent("Character", "Whose shapes and map to use."), character, typeof(LiveTalkerCharacter), true);
            connection = (LiveTalkerConnection)EditorGUILayout.ObjectField(
                new GUIContent("Connection", "The server."), connection, typeof(LiveTalkerConnection), false);
            latency = (LatencyPreset)EditorGUILayout.EnumPopup(
                new GUIContent("Latency", "Nobody waits for a baked line: quality."), latency);
            frameRate = (LiveTalkerVoice.FrameRateChoice)EditorGUILayout.EnumPopup("Frames per second", frameRate);
            identity = EditorGUILayout.TextField(new GUIContent("Identity", "A name of the model's library; empty matches the voice."), identity);
            seed = EditorGUILayout.IntField(new GUIContent("Seed", "Another seed, other blinks."), seed);
            EditorGUILayout.Space();
            DrawButtons();
            if (result.Length > 0)
            {
                EditorGUILayout.HelpBox(result, kind);
            }
        }

        private void DrawButtons()
        {
            if (running != null)
            {
                EditorGUI.ProgressBar(EditorGUILayout.GetControlRect(), progress, $"{progress * 100:0} %");
                if (GUILayout.Button("Stop"))
                {
                    running.Cancel();
                }

                return;
            }

            using (new EditorGUI.DisabledScope(line == null || character == null || connection == null))
            {
                if (GUILayout.Button("Bake"))
                {
                    Bake();
                }
            }
        }

        private async void Bake()
        {
            string path = EditorUtility.SaveFilePanelInProject("Baked face", line.name + " face", "anim", "Where to keep the animation.");
            if (string.IsNullOrEmpty(path))
            {
                return;
            }

            LiveTalkerClient client = null;
            running = new CancellationTokenSource();
            progress = 0;
            result = "";
            try
            {
                float[] mono = ReadMono(line, out int rate);
                client = connection.CreateClient();
                var config = new SessionConfig
                {
                    SampleRate = rate,
                    FrameRate = (int)frameRate,
                    Latency = latency,
                    Identity = string.IsNullOrWhiteSpace(identity) ? IdentityChoice.Automatic : IdentityChoice.Pin(identity.Trim()),
                    Seed = unchecked((ulong)seed),
                };
                BakedFace baked = await FaceBaker.BakeAsync(client, mono, config, new Progress<float>(Show), running.Token);
                var clip = new AnimationClip();
                int curves = FaceClipWriter.Write(clip, baked, character.transform, character.FindRenderers(), character.Map);
                AssetDatabase.CreateAsset(clip, path);
                AssetDatabase.SaveAssets();
                result = $"{path}: {baked.Frames.Count} frames, {curves} curves. Play it together with the audio clip, from the same moment.";
                kind = MessageType.Info;
            }
            catch (OperationCanceledException)
            {
                result = "Stopped; nothing was written.";
                kind = MessageType.None;
            }
            catch (Exception error)
            {
                result = error.Message;
                kind = MessageType.Error;
            }
            finally
            {
                OpenClients.Dispose(client);
                running.Dispose();
                running = null;
                Repaint();
            }
        }

        private void Show(float share)
        {
            progress = share;
            Repaint();
        }

        // All samples, mixed down, and every second or so left out where the recording is above what the server takes.
        private static float[] ReadMono(AudioClip clip, out int rate)
        {
            var all = new float[clip.samples * clip.channels];
            if (!clip.GetData(all, 0))
            {
                throw new InvalidOperationException(
                    $"The samples of {clip.name} cannot be read. Set its load type to Decompress On Load in the import settings.");
            }

            int decimation = (clip.frequency + MaxRate - 1) / MaxRate;
            rate = clip.frequency / decimation;
            var mono = new float[clip.samples / decimation];
            for (int i = 0; i < mono.Length; i++)
            {
                float sum = 0;
                int first = i * decimation * clip.channels;
                for (int n = 0; n < decimation * clip.channels; n++)
                {
                    sum += all[first + n];
                }

                mono[i] = sum / (decimation * clip.channels);
            }

            return mono;
        }
    }
}
