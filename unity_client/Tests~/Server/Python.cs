// The Python side of the tests: the real server, the real protobuf, and helpers that run beside them.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    /// <summary>Starts Python programs of this repository.</summary>
    internal static class Python
    {
        public static string Repository => Required("LIVETALKER_REPOSITORY");

        /// <summary>The demo's sentence, mono at 16 kHz.</summary>
        public static float[] Clip()
        {
            byte[] bytes = File.ReadAllBytes(Required("LIVETALKER_CLIP"));
            var samples = new float[bytes.Length / 2];
            for (int i = 0; i < samples.Length; i++)
            {
                samples[i] = BitConverter.ToInt16(bytes, 2 * i) / 32768f;
            }

            return samples;
        }

        public static Process Start(params string[] arguments)
        {
            var start = new ProcessStartInfo(Required("LIVETALKER_PYTHON"))
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
                WorkingDirectory = Repository,
            };
            foreach (string argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }

            return Process.Start(start);
        }

        /// <summary>Runs a script of Tests~ and returns the lines it printed.</summary>
        public static async Task<List<string>> RunAsync(string script, params string[] arguments)
        {
            var all = new List<string> { Path.Combine(Repository, "unity_client", "Tests~", script) };
            all.AddRange(arguments);
            using (Process process = Start(all.ToArray()))
            {
                Task<string> errors = process.StandardError.ReadToEndAsync();
                var lines = new List<string>();
                string line;
                while ((line = await process.StandardOutput.ReadLineAsync()) != null)
                {
                    lines.Add(line);
                }

                await process.WaitForExitAsync();
                Assert.AreEqual(0, process.ExitCode, await errors);
                return lines;
            }
        }

        private static string Required(string name)
        {
            return Environment.GetEnvironmentVariable(name)
                ?? throw new InvalidOperationException($"{name} is not set; start the tests with Tests~/run.py");
        }
    }
}
