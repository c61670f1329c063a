// Every open connection, so that none outlives play mode: an open stream freezes the editor at the next domain reload.
using System.Collections.Generic;
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>Disposes of what is still open when the game, or play mode, ends.</summary>
    public static class OpenClients
    {
        private static readonly List<LiveTalkerClient> Open = new List<LiveTalkerClient>();

        /// <summary>Ends every connection; the editor calls it before a domain reload and on leaving play mode.</summary>
        public static void DisposeAll()
        {
            lock (Open)
            {
                foreach (LiveTalkerClient client in Open)
                {
                    client.Dispose();
                }

                Open.Clear();
            }
        }

        internal static void Add(LiveTalkerClient client)
        {
            lock (Open)
            {
                Open.Add(client);
            }
        }

        /// <summary>Ends one connection.</summary>
        public static void Dispose(LiveTalkerClient client)
        {
            if (client != null)
            {
                lock (Open)
                {
                    Open.Remove(client);
                }

                client.Dispose();
            }
        }

        // Also where entering play mode does not reload the domain, and statics live on.
        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.SubsystemRegistration)]
        private static void OnStart()
        {
            DisposeAll();
            Application.quitting -= DisposeAll;
            Application.quitting += DisposeAll;
        }
    }
}
