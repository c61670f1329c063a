// The character's inspector: Auto-map, calibration, and while playing the face as live bars.
using System;
using System.Collections.Generic;
using UnityEditor;
using UnityEngine;

namespace LiveTalker.Unity.Editing
{
    /// <summary>Sets a character up and shows what it is shown.</summary>
    [CustomEditor(typeof(LiveTalkerCharacter))]
    internal sealed class LiveTalkerCharacterEditor : Editor
    {
        private const float BarHeight = 14;

        private static bool showsBars = true;
        private static bool showsAll;
        private string mapped = "";
        private bool wasCalibrating;

        public override bool RequiresConstantRepaint()
        {
            return Application.isPlaying && showsBars;
        }

        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            var character = (LiveTalkerCharacter)target;
            EditorGUILayout.Space();
            DrawMapping(character);
            if (Application.isPlaying)
            {
                DrawCalibration(character);
                DrawState(character);
                DrawBars(character);
            }
        }

        private void DrawMapping(LiveTalkerCharacter character)
        {
            if (GUILayout.Button(new GUIContent("Auto-map", "Guess from the names of the shapes which is which, and keep it in a Blendshape Map.")))
            {
                AutoMapInto(character);
            }

            if (mapped.Length > 0)
            {
                EditorGUILayout.HelpBox(mapped, MessageType.Info);
            }
        }

        private void AutoMapInto(LiveTalkerCharacter character)
        {
            if (character.Map == null)
            {
                string path = EditorUtility.SaveFilePanelInProject(
                    "New Blendshape Map", character.name + " Map", "asset", "Where to keep which shape is which.");
                if (string.IsNullOrEmpty(path))
                {
                    return;
                }

                BlendshapeMap made = CreateInstance<BlendshapeMap>();
                AssetDatabase.CreateAsset(made, path);
                Undo.RecordObject(character, "Auto-map");
                character.Map = made;
                EditorUtility.SetDirty(character);
            }

            var meshes = new List<Mesh>();
            foreach (SkinnedMeshRenderer found in character.FindRenderers())
            {
                meshes.Add(found.sharedMesh);
            }

            Undo.RecordObject(character.Map, "Auto-map");
            mapped = AutoMapReport.Describe(character.Map.AutoMapFrom(meshes));
            EditorUtility.SetDirty(character.Map);
            if (Application.isPlaying)
            {
                character.Rebind();
            }
        }

        private void DrawCalibration(LiveTalkerCharacter character)
        {
            EditorGUILayout.BeginHorizontal();
            using (new EditorGUI.DisabledScope(character.IsCalibrating))
            {
                string label = character.IsCalibrating ? "Keep quiet..." : "Calibrate rest pose";
                if (GUILayout.Button(new GUIContent(label, "Two quiet seconds: what the face shows then becomes its rest.")))
                {
                    character.Calibrate();
                }

                if (GUILayout.Button("Clear"))
                {
                    character.ClearCalibration();
                    wasCalibrating = true;
                }
            }

            EditorGUILayout.EndHorizontal();
            if (character.Map != null && (character.IsCalibrating || wasCalibrating))
            {
                EditorUtility.SetDirty(character.Map); // the pose is kept in it when the time is over
            }

            wasCalibrating = character.IsCalibrating;
        }

        private static void DrawState(LiveTalkerCharacter character)
        {
            LiveTalkerVoice voice = character.Voice;
            if (voice == null)
            {
                EditorGUILayout.HelpBox(
                    "There is no voice: add a LiveTalker Microphone or a LiveTalker Audio Source.", MessageType.Warning);
                return;
            }

            EditorGUILayout.LabelField("Session", voice.State.ToString());
            EditorGUILayout.LabelField("Face", $"{voice.Presentation}, {voice.DelaySeconds * 1000:0} ms behind");
            EditorGUILayout.LabelField("Shapes moved", character.BoundCount.ToString());
            if (voice.Problem.Length > 0)
            {
                EditorGUILayout.HelpBox(voice.Problem, MessageType.Warning);
            }
        }

        private static void DrawBars(LiveTalkerCharacter character)
        {
            showsBars = EditorGUILayout.Foldout(showsBars, "Live face", true);
            if (!showsBars)
            {
                return;
            }

            showsAll = EditorGUILayout.Toggle("Also those at rest", showsAll);
            ReadOnlySpan<float> channels = character.Channels;
            for (int i = 0; i < channels.Length; i++)
            {
                if (showsAll || channels[i] > 0.01f)
                {
                    Rect bar = EditorGUILayout.GetControlRect(false, BarHeight);
                    EditorGUI.ProgressBar(bar, channels[i], FaceChannels.Names[i]);
                }
            }
        }
    }
}
