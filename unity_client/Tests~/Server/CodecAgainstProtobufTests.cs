// Holds the hand-written codec against the real protobuf, in both directions.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using LiveTalker.Transport;
using LiveTalker.Wire;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class CodecAgainstProtobufTests
    {
        private const int Messages = 4500;

        [Test]
        public async Task EncodesAndDecodesWhatTheRealProtobufDoes()
        {
            var counts = new Dictionary<string, int>();
            foreach (string line in await Python.RunAsync("codec_peer.py", "20", Messages.ToString()))
            {
                JsonElement message = JsonDocument.Parse(line).RootElement;
                string kind = message.GetProperty("kind").GetString();
                byte[] bytes = Bytes(message, "hex");
                counts[kind] = counts.GetValueOrDefault(kind) + 1;
                Check(kind, message, bytes);
            }

            Assert.AreEqual(9, counts.Count);
            Assert.AreEqual(Messages, counts.Values.Sum());
        }

        [Test]
        public async Task DamagedMessagesAreRefusedOrReadButNeverMore()
        {
            var random = new Random(3);
            int refused = 0;
            foreach (string line in await Python.RunAsync("codec_peer.py", "21", "450"))
            {
                JsonElement message = JsonDocument.Parse(line).RootElement;
                for (int i = 0; i < 20; i++)
                {
                    byte[] damaged = Damage(Bytes(message, "hex"), random);
                    try
                    {
                        new ResponseDecoder().Decode(damaged, new Recorder());
                        ResponseDecoder.DecodeModelInfo(damaged);
                    }
                    catch (WireException)
                    {
                        refused++;
                    }

                    StatusDetails.Parse(Convert.ToBase64String(damaged));
                }
            }

            Assert.Greater(refused, 1000);
        }

        private static byte[] Damage(byte[] bytes, Random random)
        {
            byte[] damaged = bytes.Take(random.Next(bytes.Length + 1)).ToArray();
            for (int i = random.Next(4); i > 0 && damaged.Length > 0; i--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            return damaged;
        }

        private static void Check(string kind, JsonElement message, byte[] bytes)
        {
            var writer = new ProtoWriter(16);
            var recorder = new Recorder();
            switch (kind)
            {
                case "config":
                    RequestEncoder.WriteConfig(writer, Config(message));
                    AssertBytes(bytes, writer, message);
                    break;
                case "resume":
                    RequestEncoder.WriteResume(writer, Bytes(message, "token"), Int(message, "next_frame"));
                    AssertBytes(bytes, writer, message);
                    break;
                case "audio":
                    float[] samples = message.GetProperty("samples").EnumerateArray().Select(x => x.GetInt32() / 32768f).ToArray();
                    RequestEncoder.WriteAudio(writer, Int(message, "start_sample"), samples);
                    AssertBytes(bytes, writer, message);
                    break;
                case "control":
                    RequestEncoder.WriteControl(writer, Control(message));
                    AssertBytes(bytes, writer, message);
                    break;
                case "started":
                    new ResponseDecoder().Decode(bytes, recorder);
                    CheckStarted(message, recorder.Started);
                    break;
                case "frames":
                    new ResponseDecoder().Decode(bytes, recorder);
                    CheckFrames(message, recorder);
                    break;
                case "event":
                    new ResponseDecoder().Decode(bytes, recorder);
                    CheckEvent(message, recorder);
                    break;
                case "model_info":
                    CheckModelInfo(message, ResponseDecoder.DecodeModelInfo(bytes));
                    break;
                case "status":
                    StatusDetails details = StatusDetails.Parse(Convert.ToBase64String(bytes).TrimEnd('='));
                    Assert.AreEqual(Text(message, "reason"), details.Reason);
                    Assert.AreEqual(Text(message, "field"), details.Field);
                    Assert.AreEqual(Int(message, "retry_ns") / 1e9, details.RetryAfter.Value.TotalSeconds, 1e-9);
                    break;
                default:
                    Assert.Fail("unknown kind " + kind);
                    break;
            }
        }

        private static void AssertBytes(byte[] expected, ProtoWriter writer, JsonElement message)
        {
            Assert.AreEqual(Convert.ToHexString(expected), Convert.ToHexString(writer.Message), message.ToString());
            ReadOnlySpan<byte> framed = writer.Finish().Span;
            Assert.AreEqual(expected.Length + 5, framed.Length);
            Assert.AreEqual(expected.Length, (framed[1] << 24) | (framed[2] << 16) | (framed[3] << 8) | framed[4]);
        }

        private static SessionConfig Config(JsonElement message)
        {
            return new SessionConfig
            {
                SampleRate = (int)Int(message, "sample_rate"),
                FrameRate = (int)Int(message, "frame_rate"),
                Latency = (LatencyPreset)Int(message, "latency_preset"),
                Delivery = (Delivery)Int(message, "delivery"),
                Identity = Identity(message.GetProperty("identity")),
                Seed = message.GetProperty("seed").GetUInt64(),
                Shaping = message.TryGetProperty("shaping", out JsonElement shaping) ? Shaping(shaping) : null,
                Blinks = message.GetProperty("blinks").GetBoolean(),
                IdleMotion = message.GetProperty("idle_motion").GetBoolean(),
            };
        }

        private static Control Control(JsonElement message)
        {
            var kinds = new Dictionary<string, ControlKind>
            {
                ["flush"] = ControlKind.Flush,
                ["mute"] = ControlKind.Mute,
                ["unmute"] = ControlKind.Unmute,
                ["rematch_identity"] = ControlKind.RematchIdentity,
                ["shaping"] = ControlKind.Shaping,
            };
            return new Control(kinds[Text(message, "control")], 0)
            {
                Identity = message.TryGetProperty("identity", out JsonElement identity) ? Identity(identity) : null,
                Shaping = message.TryGetProperty("shaping", out JsonElement shaping) ? Shaping(shaping) : null,
            };
        }

        private static IdentityChoice Identity(JsonElement identity)
        {
            if (identity.TryGetProperty("pinned", out JsonElement pinned))
            {
                return IdentityChoice.Pin(pinned.GetString());
            }

            return identity.TryGetProperty("blended", out JsonElement blended)
                ? IdentityChoice.Mix(Map(blended.GetProperty("weights")))
                : IdentityChoice.Automatic;
        }

        private static Shaping Shaping(JsonElement message)
        {
            var shaping = new Shaping { Clamp = message.GetProperty("clamp").GetBoolean() };
            Fill(shaping.Gains, message.GetProperty("gains"));
            Fill(shaping.Offsets, message.GetProperty("offsets"));
            Fill(shaping.Expression, message.GetProperty("expression"));
            return shaping;
        }

        private static void Fill(Dictionary<string, float> target, JsonElement map)
        {
            foreach ((string name, float value) in Map(map))
            {
                target[name] = value;
            }
        }

        private static Dictionary<string, float> Map(JsonElement map)
        {
            return map.EnumerateObject().ToDictionary(entry => entry.Name, entry => (float)entry.Value.GetDouble());
        }

        private static void CheckStarted(JsonElement message, StreamInfo info)
        {
            Assert.AreEqual(Text(message, "session_id"), info.SessionId);
            Assert.AreEqual(Text(message, "model_name"), info.ModelName);
            Assert.AreEqual(Text(message, "model_version"), info.ModelVersion);
            Assert.AreEqual(Join(message, "blendshape_names"), string.Join("|", info.BlendshapeNames));
            Assert.AreEqual(Int(message, "frame_rate"), info.FrameRate);
            Assert.AreEqual(Int(message, "algorithmic_latency_us"), info.AlgorithmicLatencyUs);
            Assert.AreEqual(Int(message.GetProperty("limits"), "max_message_bytes"), info.Limits.MaxMessageBytes);
            Assert.AreEqual(Int(message.GetProperty("limits"), "max_gap_ms"), info.Limits.MaxGapMs);
            Assert.AreEqual(Text(message, "resume_token"), Convert.ToHexString(info.ResumeToken).ToLowerInvariant());
            Assert.AreEqual(Int(message, "first_frame"), info.FirstFrame);
        }

        private static void CheckFrames(JsonElement message, Recorder recorder)
        {
            JsonElement[] expected = message.GetProperty("frames").EnumerateArray().ToArray();
            Assert.AreEqual(expected.Length, recorder.Frames.Count);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.AreEqual(Int(expected[i], "index"), recorder.Frames[i].Index);
                Assert.AreEqual(Int(expected[i], "time_us"), recorder.Frames[i].TimeUs);
                float[] weights = expected[i].GetProperty("weights").EnumerateArray().Select(x => (float)x.GetDouble()).ToArray();
                Assert.IsTrue(weights.SequenceEqual(recorder.Frames[i].Weights));
            }
        }

        private static void CheckEvent(JsonElement message, Recorder recorder)
        {
            if (Text(message, "event") == "resume_point")
            {
                Assert.AreEqual(Text(message, "token"), Convert.ToHexString(recorder.ResumePoint).ToLowerInvariant());
                Assert.AreEqual(Int(message, "frame_index"), recorder.ResumeFrame);
                return;
            }

            SessionEvent occurred = recorder.Events.Single();
            switch (Text(message, "event"))
            {
                case "identity_matched":
                    Assert.AreEqual(SessionEventKind.IdentityMatched, occurred.Kind);
                    Assert.AreEqual(Text(message, "identity"), occurred.Identity);
                    Assert.AreEqual((float)message.GetProperty("confidence").GetDouble(), occurred.Confidence);
                    Assert.AreEqual(Int(message, "frame_index"), occurred.FirstFrame);
                    break;
                case "gap" when Int(message, "cause") == 1:
                    Assert.AreEqual(SessionEventKind.AudioMissing, occurred.Kind);
                    Assert.AreEqual(Int(message, "start_sample"), occurred.StartSample);
                    Assert.AreEqual(Int(message, "sample_count"), occurred.SampleCount);
                    break;
                case "gap":
                    Assert.AreEqual(SessionEventKind.FramesMissing, occurred.Kind);
                    Assert.AreEqual(Int(message, "first_frame"), occurred.FirstFrame);
                    Assert.AreEqual(Int(message, "frame_count"), occurred.FrameCount);
                    break;
                case "draining":
                    StringAssert.Contains($"{Int(message, "grace_ms")} ms", occurred.Message);
                    break;
                case "warning":
                    StringAssert.Contains(Text(message, "message"), occurred.Message);
                    break;
            }
        }

        private static void CheckModelInfo(JsonElement message, ModelInfo info)
        {
            Assert.AreEqual(Text(message, "model_name"), info.ModelName);
            Assert.AreEqual(Text(message, "model_version"), info.ModelVersion);
            Assert.AreEqual(Join(message, "blendshape_names"), string.Join("|", info.BlendshapeNames));
            Assert.AreEqual(Join(message, "frame_rates"), string.Join("|", info.FrameRates));
            Assert.AreEqual(Join(message, "identities"), string.Join("|", info.Identities));
            Assert.AreEqual(Int(message, "denoise_steps"), info.DenoiseSteps);
            Assert.AreEqual(1000, info.Limits.MaxChunkMs);
            JsonElement[] presets = message.GetProperty("latency_presets").EnumerateArray().ToArray();
            Assert.AreEqual(presets.Length, info.LatencyPresets.Count);
            for (int i = 0; i < presets.Length; i++)
            {
                Assert.AreEqual(Int(presets[i], "latency_preset"), (int)info.LatencyPresets[i].Preset);
                Assert.AreEqual(Int(presets[i], "algorithmic_latency_us"), info.LatencyPresets[i].AlgorithmicLatencyUs);
            }
        }

        private static byte[] Bytes(JsonElement message, string name)
        {
            return Convert.FromHexString(message.GetProperty(name).GetString());
        }

        private static long Int(JsonElement message, string name)
        {
            return message.GetProperty(name).GetInt64();
        }

        private static string Text(JsonElement message, string name)
        {
            return message.GetProperty(name).GetString();
        }

        private static string Join(JsonElement message, string name)
        {
            return string.Join("|", message.GetProperty(name).EnumerateArray());
        }

        /// <summary>Keeps what a decoder says.</summary>
        private sealed class Recorder : IResponseSink
        {
            public StreamInfo Started { get; private set; }

            public List<(long Index, long TimeUs, float[] Weights)> Frames { get; } = new List<(long, long, float[])>();

            public List<SessionEvent> Events { get; } = new List<SessionEvent>();

            public byte[] ResumePoint { get; private set; }

            public long ResumeFrame { get; private set; }

            public void OnStarted(StreamInfo info)
            {
                Started = info;
            }

            public void OnFrame(long index, long timeUs, ReadOnlySpan<float> weights)
            {
                Frames.Add((index, timeUs, weights.ToArray()));
            }

            public void OnEvent(SessionEvent occurred)
            {
                Events.Add(occurred);
            }

            public void OnResumePoint(byte[] token, long frameIndex)
            {
                ResumePoint = token;
                ResumeFrame = frameIndex;
            }
        }
    }
}
