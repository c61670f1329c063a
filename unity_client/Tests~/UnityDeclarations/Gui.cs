// Declarations only, see README.md: immediate-mode GUI.
using System;

namespace UnityEngine
{
    public class GUIContent
    {
        public GUIContent(string text, string tooltip) => throw new NotImplementedException();
    }

    public class GUILayoutOption
    {
    }

    public static class GUILayout
    {
        public static void Label(string text, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static bool Button(string text, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static bool Button(GUIContent content, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static bool RepeatButton(string text, params GUILayoutOption[] options) => throw new NotImplementedException();
        public static bool Toggle(bool value, string text, params GUILayoutOption[] options) => throw new NotImplementedException();
    }
}
