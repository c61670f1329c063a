// Where the server is and how to get in: an asset that all characters of a project share.
using System;
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>Address, TLS and token of a LiveTalker server.</summary>
    [CreateAssetMenu(menuName = "LiveTalker/Connection", fileName = "LiveTalkerConnection")]
    public sealed class LiveTalkerConnection : ScriptableObject
    {
        [SerializeField]
        [Tooltip("Name or IP address of the machine where `livetalker serve` runs. With TLS, the name in its certificate.")]
        private string host = "127.0.0.1";

        [SerializeField]
        [Range(1, 65535)]
        [Tooltip("The server's port; 50051 unless it was started with --port.")]
        private int port = 50051;

        [SerializeField]
        [Tooltip("Tick if the server was started with --tls-cert. Untick if it was not.")]
        private bool tls;

        [SerializeField]
        [TextArea(2, 6)]
        [Tooltip("PEM text of the authority that signed the server's certificate, if the system does not know it: the contents of "
            + "the file, beginning with -----BEGIN CERTIFICATE-----. Empty trusts the usual authorities.")]
        private string certificateAuthority = "";

        [SerializeField]
        [Tooltip("One line of the server's --token-file; empty if it wants none. It is stored in this asset and shipped with the game: "
            + "for players, set the Token property from your login instead.")]
        private string token = "";

        /// <summary>The server's address as a URL.</summary>
        public string Address => $"{(tls ? "https" : "http")}://{host.Trim()}:{port}";

        /// <summary>The bearer token. Setting it does not change the asset's file; streams that are opened afterwards use it.</summary>
        public string Token
        {
            get => runtimeToken ?? token;
            set => runtimeToken = value;
        }

        [NonSerialized]
        private string runtimeToken;

        [NonSerialized]
        private bool warned;

        /// <summary>Points the connection elsewhere at run time; streams that are opened afterwards use it.</summary>
        public void SetServer(string serverHost, int serverPort, bool useTls)
        {
            host = serverHost;
            port = serverPort;
            tls = useTls;
        }

        /// <summary>Opens a connection. Dispose of it with <see cref="OpenClients.Dispose"/>.</summary>
        /// <exception cref="InvalidOperationException">There is no HTTP/2 handler; the message says which to install.</exception>
        /// <exception cref="ArgumentException">The address is none.</exception>
        public LiveTalkerClient CreateClient()
        {
            string secret = Token?.Trim();
            var client = new LiveTalkerClient(Address, HttpHandlers.Create(certificateAuthority), secret);
            OpenClients.Add(client);
            if (client.SendsTokenInPlainText && !warned)
            {
                warned = true;
                Debug.LogWarning($"{name}: the token goes to {client.Server.Authority} in plain text, and anybody on the way can read it. Use TLS.", this);
            }

            return client;
        }
    }
}
