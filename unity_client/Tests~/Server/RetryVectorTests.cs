// What is tried again, as the vector says that all clients share.
using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using LiveTalker.Wire;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class RetryVectorTests
    {
        [Test]
        public void EveryEndOfACallIsAnsweredAsTheVectorSays()
        {
            string file = Path.Combine(Python.Repository, "tests", "vectors", "retries.json");
            JsonElement rows = JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("retries");
            Assert.Greater(rows.GetArrayLength(), 20);
            foreach (JsonElement row in rows.EnumerateArray())
            {
                string status = row.GetProperty("status").GetString();
                string reason = row.GetProperty("reason").GetString();
                var error = new LiveTalkerException(Code(status), "said", reason);
                string then = error.WantsNewStream ? "anew" : error.IsTransient ? "again" : "end";
                Assert.AreEqual(row.GetProperty("then").GetString(), then, $"{status} {reason}");
            }
        }

        [Test]
        public void NoWaitingMendsTls()
        {
            var error = new LiveTalkerException(StatusCode.Unavailable, "said") { IsTlsMistake = true };
            Assert.IsFalse(error.IsTransient);
        }

        private static StatusCode Code(string name)
        {
            return Enum.GetValues(typeof(StatusCode)).Cast<StatusCode>()
                .Single(code => string.Equals(code.ToString(), name.Replace("_", ""), StringComparison.OrdinalIgnoreCase));
        }
    }
}
