// Ends every stream before the editor would have to wait for it.
using UnityEditor;

namespace LiveTalker.Unity.Editing
{
    /// <summary>Disposes of open connections on leaving play mode, before domain reloads and on quitting.</summary>
    [InitializeOnLoad]
    internal static class PlayModeGuard
    {
        static PlayModeGuard()
        {
            AssemblyReloadEvents.beforeAssemblyReload += OpenClients.DisposeAll;
            EditorApplication.quitting += OpenClients.DisposeAll;
            EditorApplication.playModeStateChanged += change =>
            {
                if (change == PlayModeStateChange.ExitingPlayMode)
                {
                    OpenClients.DisposeAll();
                }
            };
        }
    }
}
