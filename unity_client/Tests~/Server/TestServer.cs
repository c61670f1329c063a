// A real `livetalker serve`, started, killed and stopped by a test.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    /// <summary>The server of this repository on a port of its own.</summary>
    internal sealed class TestServer : IDisposable
    {
        private readonly Process process;

        private TestServer(Process process, int port)
        {
            this.process = process;
            Port = port;
        }

        public int Port { get; }

        public string Address => $"http://127.0.0.1:{Port}";

        /// <summary>Starts a server and waits until it says where it listens.</summary>
        /// <param name="port">The port, or 0 for any.</param>
        /// <param name="options">More options of `livetalker serve`.</param>
        public static TestServer Start(int port = 0, params string[] options)
        {
            var arguments = new List<string>
            {
                "-m", "livetalker.cli.main", "serve", "--port", port.ToString(), "--threads", "1", "--grace", "1",
            };
            arguments.AddRange(options);
            return Greeted(Python.Start(arguments.ToArray()));
        }

        /// <summary>Starts a gRPC server that knows no service.</summary>
        public static TestServer StartBare()
        {
            return Greeted(Python.Start(System.IO.Path.Combine(Python.Repository, "unity_client", "Tests~", "bare_server.py")));
        }

        /// <summary>A port where nobody listens.</summary>
        public static int FreePort()
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            int port = ((IPEndPoint)listener.LocalEndpoint).Port;
            listener.Stop();
            return port;
        }

        /// <summary>SIGKILL: no farewell.</summary>
        public void Kill()
        {
            process.Kill();
            process.WaitForExit();
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                Kill();
            }

            process.Dispose();
        }

        private static TestServer Greeted(Process process)
        {
            string greeting = process.StandardOutput.ReadLine() ?? "";
            Match match = Regex.Match(greeting, @" at [^ ]*127\.0\.0\.1:(\d+)");
            if (!match.Success)
            {
                process.Kill();
                Assert.Fail($"the server did not start: {greeting} {process.StandardError.ReadToEnd()}");
            }

            // A full pipe would stop the server.
            _ = process.StandardOutput.ReadToEndAsync();
            _ = process.StandardError.ReadToEndAsync();
            return new TestServer(process, int.Parse(match.Groups[1].Value));
        }
    }
}
