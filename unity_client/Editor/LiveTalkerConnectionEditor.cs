// The connection's inspector: its fields, and a button that says whether it works and, if not, what to do.
using System;
using UnityEditor;
using UnityEngine;

namespace LiveTalker.Unity.Editing
{
    /// <summary>Adds a connection test to the asset.</summary>
    [CustomEditor(typeof(LiveTalkerConnection))]
    internal sealed class LiveTalkerConnectionEditor : Editor
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

        private string result = "";
        private MessageType kind = MessageType.None;
        private bool isTesting;

        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            if (!HttpHandlers.IsAvailable)
            {
                EditorGUILayout.HelpBox(HttpHandlers.HowToInstall, MessageType.Error);
            }

            EditorGUILayout.Space();
            using (new EditorGUI.DisabledScope(isTesting))
            {
                if (GUILayout.Button(isTesting ? "Testing..." : "Test connection"))
                {
                    Test((LiveTalkerConnection)target);
                }
            }

            if (result.Length > 0)
            {
                EditorGUILayout.HelpBox(result, kind);
            }
        }

        // Its awaits return to the editor's own thread, which they never hold up.
        private async void Test(LiveTalkerConnection connection)
        {
            LiveTalkerClient client = null;
            isTesting = true;
            try
            {
                client = connection.CreateClient();
                double before = MonotonicClock.Now;
                ModelInfo info = await client.GetModelInfoAsync(Patience);
                double took = (MonotonicClock.Now - before) * 1000;
                result = $"Connected to {connection.Address} in {took:0} ms. It serves {info.ModelName} {info.ModelVersion} "
                    + $"with {info.Identities.Count} identities.";
                kind = MessageType.Info;
            }
            catch (OperationCanceledException)
            {
                result = "The test was stopped.";
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
                isTesting = false;
                Repaint();
            }
        }
    }
}
