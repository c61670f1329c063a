// Tokens and TLS, right and wrong.
using System;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class SecurityTests
    {
        [Test]
        public async Task ATokenLetsInAndNothingElseDoes()
        {
            using (var files = new TemporaryFiles())
            using (TestServer server = TestServer.Start(0, "--token-file", files.Write("tokens", "# players\nright-one-0123456789abcdef\n")))
            {
                await ErrorTests.CheckAsync(
                    server.Address, StatusCode.Unauthenticated, "TOKEN_REQUIRED", false, "wants a token and none was sent", "--token-file");
                await ErrorTests.CheckAsync(
                    server.Address, StatusCode.Unauthenticated, "TOKEN_UNKNOWN", false, "does not know this token", "--token-file", token: "wrong-one");
                using (LiveTalkerClient client = Net.Client(server.Address, "right-one-0123456789abcdef"))
                {
                    Assert.AreEqual(52, (await client.GetModelInfoAsync(TimeSpan.FromSeconds(20))).BlendshapeNames.Count);
                    Listener listener = await StreamTests.BakeAsync(client, Python.Clip().AsSpan(0, 16000).ToArray(), 30);
                    Assert.AreEqual(30, listener.Indexes.Count);
                }
            }
        }

        [Test]
        public void ATokenWithALineBreakIsRefusedHere()
        {
            StringAssert.Contains("line break", Assert.Throws<ArgumentException>(() => Net.Client("http://127.0.0.1:1", "a\nb")).Message);
        }

        [Test]
        public async Task TlsWithTheRightAuthorityAndWithEveryMistake()
        {
            using (var files = new TemporaryFiles())
            {
                (string certificate, string key) = Certificate();
                using (TestServer server = TestServer.Start(
                    0, "--tls-cert", files.Write("cert.pem", certificate), "--tls-key", files.Write("key.pem", key)))
                {
                    string secure = $"https://127.0.0.1:{server.Port}";
                    using (LiveTalkerClient client = Net.Client(secure, authority: certificate))
                    {
                        Listener listener = await StreamTests.BakeAsync(client, Python.Clip(), 60);
                        Assert.AreEqual((Python.Clip().Length * 60 + 15999) / 16000, listener.Indexes.Count);
                    }

                    await ErrorTests.CheckAsync(
                        secure, StatusCode.Unavailable, "", false, "is not trusted", "PEM file of the authority");
                    await ErrorTests.CheckAsync(
                        secure, StatusCode.Unavailable, "", false, "is not trusted", "PEM file of the authority", authority: Certificate().Certificate);
                    await ErrorTests.CheckAsync(
                        server.Address, StatusCode.Unavailable, "", true, "closed the connection before it said anything", "tick TLS in the connection");
                }

                using (TestServer plain = TestServer.Start())
                {
                    await ErrorTests.CheckAsync(
                        $"https://127.0.0.1:{plain.Port}", StatusCode.Unavailable, "", false, "does not answer TLS", "Untick TLS in the connection");
                }
            }
        }

        private static (string Certificate, string Key) Certificate()
        {
            using (RSA key = RSA.Create(2048))
            {
                var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
                var names = new SubjectAlternativeNameBuilder();
                names.AddIpAddress(IPAddress.Loopback);
                names.AddDnsName("localhost");
                request.CertificateExtensions.Add(names.Build());
                request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
                X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
                return (
                    new string(PemEncoding.Write("CERTIFICATE", certificate.RawData)),
                    new string(PemEncoding.Write("PRIVATE KEY", key.ExportPkcs8PrivateKey())));
            }
        }

        /// <summary>A folder of files for the length of a test.</summary>
        internal sealed class TemporaryFiles : IDisposable
        {
            private readonly DirectoryInfo folder = Directory.CreateDirectory(
                Path.Combine(Path.GetTempPath(), "livetalker-" + Guid.NewGuid().ToString("N")));

            public string Write(string name, string text)
            {
                string path = Path.Combine(folder.FullName, name);
                File.WriteAllText(path, text);
                return path;
            }

            public void Dispose()
            {
                folder.Delete(true);
            }
        }
    }
}
