// Puts the audio clock and the jitter buffer through the vectors that the Python and C++ clients share.
using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class PresentationVectorTests
    {
        [Test]
        public void ClockAndBufferAnswerAsTheVectorsSay()
        {
            string folder = Path.Combine(Python.Repository, "tests", "vectors", "presentation");
            string[] files = Directory.GetFiles(folder, "*.json");
            Assert.GreaterOrEqual(files.Length, 10);
            foreach (string file in files)
            {
                JsonElement vector = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
                string name = Path.GetFileName(file);
                if (vector.GetProperty("kind").GetString() == "audio_clock")
                {
                    CheckClock(vector, name);
                }
                else
                {
                    CheckBuffer(vector, name);
                }
            }
        }

        private static void CheckClock(JsonElement vector, string file)
        {
            double tolerance = vector.GetProperty("tolerance").GetProperty("time_s").GetDouble();
            var clock = new AudioClock();
            int number = 0;
            foreach (JsonElement step in vector.GetProperty("steps").EnumerateArray())
            {
                string where = $"{file}, step {number++}";
                if (step.TryGetProperty("observe", out JsonElement observed))
                {
                    bool jumped = clock.Observe(Number(observed[0]), Number(observed[1]));
                    Assert.AreEqual(step.GetProperty("jumped").GetBoolean(), jumped, where);
                }
                else if (step.TryGetProperty("position", out JsonElement local))
                {
                    Assert.AreEqual(Number(step.GetProperty("audio")), clock.Position(local.GetDouble()), tolerance, where);
                }
                else
                {
                    Assert.IsTrue(step.GetProperty("reset").GetBoolean(), where);
                    clock.Reset();
                }
            }
        }

        private static void CheckBuffer(JsonElement vector, string file)
        {
            JsonElement tolerance = vector.GetProperty("tolerance");
            double time = tolerance.GetProperty("time_s").GetDouble();
            double weight = tolerance.GetProperty("weight").GetDouble();
            JsonElement config = vector.GetProperty("config");
            var buffer = new JitterBuffer(
                config.GetProperty("fps").GetInt32(),
                config.GetProperty("floor_s").GetDouble(),
                config.GetProperty("max_s").GetDouble(),
                config.GetProperty("capacity").GetInt32());
            int[] coefficients = vector.GetProperty("coefficients").EnumerateArray().Select(x => x.GetInt32()).ToArray();
            var face = new float[Arkit.Count];
            int number = 0;
            foreach (JsonElement step in vector.GetProperty("steps").EnumerateArray())
            {
                string where = $"{file}, step {number++}";
                if (step.TryGetProperty("push", out JsonElement index))
                {
                    float[] weights = Enumerable.Range(0, Arkit.Count).Select(c => Weight(index.GetInt64(), c)).ToArray();
                    PushResult result = buffer.Push(
                        index.GetInt64(), step.GetProperty("time_us").GetInt64(), weights, Number(step.GetProperty("arrived")));
                    Assert.AreEqual(step.GetProperty("result").GetString(), result.ToString().ToLowerInvariant(), where);
                }
                else if (step.TryGetProperty("sample", out JsonElement sample))
                {
                    buffer.Sample(Number(sample[1]), sample[0].GetDouble(), face);
                    Assert.AreEqual(step.GetProperty("state").GetString(), buffer.State.ToString().ToLowerInvariant(), where);
                    Assert.AreEqual(Number(step.GetProperty("playhead")), buffer.PlayheadSeconds, time, where);
                    Assert.AreEqual(Number(step.GetProperty("presence")), buffer.Presence, weight, where);
                    JsonElement weights = step.GetProperty("weights");
                    for (int i = 0; i < coefficients.Length; i++)
                    {
                        Assert.AreEqual(weights[i].GetDouble(), face[coefficients[i]], weight, $"{where}, coefficient {coefficients[i]}");
                    }
                }
                else if (step.TryGetProperty("flush", out JsonElement until))
                {
                    buffer.Flush(until.GetInt64());
                }
                else
                {
                    Assert.IsTrue(step.GetProperty("reset").GetBoolean(), where);
                    buffer.Reset();
                }
            }
        }

        // The triangle wave that README.md beside the vectors defines.
        private static float Weight(long frame, int coefficient)
        {
            return Math.Abs(((frame * (1 + (coefficient % 4))) + (5 * coefficient)) % 40 - 20) / 20f;
        }

        private static double Number(JsonElement value)
        {
            return value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble();
        }
    }
}
