// The map's inspector: its lines, and Auto-map from a mesh that is dropped on it.
using UnityEditor;
using UnityEngine;

namespace LiveTalker.Unity.Editing
{
    /// <summary>Fills a map from a mesh.</summary>
    [CustomEditor(typeof(BlendshapeMap))]
    internal sealed class BlendshapeMapEditor : Editor
    {
        private Mesh mesh;
        private string found = "";

        public override void OnInspectorGUI()
        {
            var map = (BlendshapeMap)target;
            mesh = (Mesh)EditorGUILayout.ObjectField(
                new GUIContent("Mesh", "A face's mesh, to guess the lines from its shapes' names."), mesh, typeof(Mesh), false);
            using (new EditorGUI.DisabledScope(mesh == null))
            {
                if (GUILayout.Button("Auto-map"))
                {
                    Undo.RecordObject(map, "Auto-map");
                    found = AutoMapReport.Describe(map.AutoMapFrom(new[] { mesh }));
                    EditorUtility.SetDirty(map);
                    serializedObject.Update();
                }
            }

            if (found.Length > 0)
            {
                EditorGUILayout.HelpBox(found, MessageType.Info);
            }

            EditorGUILayout.Space();
            DrawDefaultInspector();
        }
    }
}
