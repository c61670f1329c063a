// Chooses what speaks HTTP/2: Unity's own HttpClient handler does not.
using System;
using System.Net.Http;

namespace LiveTalker.Unity
{
    /// <summary>Makes the handler that is there: YetAnotherHttpHandler if installed, else Unity's own from 6.5 on.</summary>
    public static class HttpHandlers
    {
        /// <summary>Whether any is there.</summary>
        public static bool IsAvailable
        {
            get
            {
#if LIVETALKER_YET_ANOTHER_HTTP_HANDLER || UNITY_6000_5_OR_NEWER
                return true;
#else
                return false;
#endif
            }
        }

        /// <summary>What to do where none is.</summary>
        public const string HowToInstall =
            "LiveTalker needs HTTP/2, which this version of Unity does not have. Install the package YetAnotherHttpHandler "
            + "(com.cysharp.yetanotherhttphandler; see the LiveTalker README, step 1), or use Unity 6.5 or later.";

        /// <summary>Makes a handler.</summary>
        /// <param name="authorityPem">PEM of the authorities to trust; null or empty for the usual ones.</param>
        /// <exception cref="InvalidOperationException">No handler is installed, or it cannot do what is asked.</exception>
        public static HttpMessageHandler Create(string authorityPem)
        {
#if LIVETALKER_YET_ANOTHER_HTTP_HANDLER
            return new Cysharp.Net.Http.YetAnotherHttpHandler
            {
                Http2Only = true, // without TLS there is nothing to negotiate with
                Http2KeepAliveInterval = TimeSpan.FromSeconds(20),
                Http2KeepAliveTimeout = TimeSpan.FromSeconds(10),
                RootCertificates = string.IsNullOrWhiteSpace(authorityPem) ? null : authorityPem,
            };
#elif UNITY_6000_5_OR_NEWER
            if (!string.IsNullOrWhiteSpace(authorityPem))
            {
                throw new InvalidOperationException(
                    "Unity's own HTTP handler trusts the system's authorities only. Clear the certificate authority of the "
                    + "connection and install it in the system, or install YetAnotherHttpHandler.");
            }

            return new UnityEngine.Networking.UnityHttpMessageHandler
            {
                HttpForcedVersion = UnityEngine.Networking.HttpForcedVersion.HTTP2,
            };
#else
            throw new InvalidOperationException(HowToInstall);
#endif
        }
    }
}
