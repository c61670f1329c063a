// Declarations only, see README.md: the HTTP/2 handlers of YetAnotherHttpHandler and of Unity 6.5.
using System;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;

namespace Cysharp.Net.Http
{
    public class YetAnotherHttpHandler : HttpMessageHandler
    {
        public bool? Http2Only { get; set; }
        public TimeSpan? Http2KeepAliveInterval { get; set; }
        public TimeSpan? Http2KeepAliveTimeout { get; set; }
        public string RootCertificates { get; set; }
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new NotImplementedException();
    }
}

namespace UnityEngine.Networking
{
    public enum HttpForcedVersion
    {
        NotForced = 0,
        HTTP2 = 3,
    }

    public sealed class UnityHttpMessageHandler : HttpMessageHandler
    {
        public HttpForcedVersion HttpForcedVersion { get; set; }
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new NotImplementedException();
    }
}
