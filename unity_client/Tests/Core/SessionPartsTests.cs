// The parts of a session that need no network: ring, queue, waits, plans and controls.
using System;
using System.Linq;
using System.Threading.Tasks;
using LiveTalker.Transport;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class SessionPartsTests
    {
        [Test]
        public void TheRingKeepsTheNewestSamples()
        {
            var random = new Random(4);
            var ring = new AudioRing(1000);
            long next = 0;
            var target = new float[400];
            for (int i = 0; i < 300; i++)
            {
                float[] added = Enumerable.Range(0, random.Next(0, i % 50 == 0 ? 2500 : 300)).Select(n => (float)(next + n)).ToArray();
                ring.Write(added);
                next += added.Length;
                Assert.AreEqual(next, ring.Written);
                Assert.AreEqual(Math.Max(0, next - 1000), ring.Oldest);
                long wanted = Math.Max(0, next - random.Next(1200));
                long from = wanted;
                int count = ring.Read(ref from, target);
                Assert.AreEqual(Math.Max(wanted, ring.Oldest), from, "what was overwritten is skipped");
                Assert.AreEqual(Math.Min(400, next - from), count);
                Assert.IsTrue(target.Take(count).SequenceEqual(Enumerable.Range(0, count).Select(n => (float)(from + n))));
            }
        }

        [Test]
        public void AFullQueueDropsTheOldestOrGrows()
        {
            var face = new float[Arkit.Count];
            foreach (bool drops in new[] { true, false })
            {
                var queue = new FrameQueue(4, drops);
                for (int i = 0; i < 10; i++)
                {
                    face[0] = i;
                    queue.Add(new FrameHeader(i, 0), face);
                }

                int expected = drops ? 6 : 0;
                while (queue.TryTake(out FrameHeader header, face))
                {
                    Assert.AreEqual(expected, header.Index);
                    Assert.AreEqual(expected, face[0], 0);
                    expected++;
                }

                Assert.AreEqual(10, expected);
            }
        }

        [Test]
        public void WaitsDoubleAndStayShortAtFirst()
        {
            var backoff = new Backoff(new Random(1));
            double[] bases = { 0.1, 0.2, 0.25, 0.25, 0.25, 0.25 };
            foreach (double expected in bases)
            {
                Assert.AreEqual(expected, backoff.Next(100).TotalSeconds, expected * 0.2 + 1e-9);
            }

            Assert.AreEqual(2, backoff.Next(111).TotalSeconds, 0.41, "after ten seconds it has become two");
            backoff.Reset();
            Assert.AreEqual(0.1, backoff.Next(112).TotalSeconds, 0.021);
            double asked = backoff.After(TimeSpan.FromSeconds(1)).TotalSeconds;
            Assert.IsTrue(asked >= 1 && asked <= 1.2);
        }

        [Test]
        public void AResumeSendsTwoSecondsAgainOnTheOldClock()
        {
            AudioRing ring = Spoken(10, 4);
            StreamPlan plan = StreamPlan.Make(ring, 297, 16000, 30, true, default); // 9.9 s
            Assert.IsTrue(plan.Resumes);
            Assert.AreEqual((long)(7.9 * 16000), plan.StartSample);
            Assert.AreEqual(0L, plan.BaseSamples);

            plan = StreamPlan.Make(Spoken(14, 4), 297, 16000, 30, true, default);
            Assert.IsTrue(plan.Resumes, "the hole is 0.1 s");
            Assert.AreEqual(10L * 16000, plan.StartSample);

            plan = StreamPlan.Make(Spoken(40, 4), 297, 16000, 30, true, default);
            Assert.IsFalse(plan.Resumes, "the hole is longer than the server fills");
            Assert.AreEqual(36L * 16000, plan.StartSample);
        }

        [Test]
        public void WithoutATokenANewStreamBeginsOnAWholeSecondOfTheOldClock()
        {
            StreamPlan plan = StreamPlan.Make(Spoken(10.37, 4), 297, 16000, 60, false, default); // frame 297 is at 4.95 s
            Assert.IsFalse(plan.Resumes);
            Assert.AreEqual(7L * 16000, plan.StartSample);
            Assert.AreEqual(plan.StartSample, plan.BaseSamples);
            Assert.AreEqual(7L * 60, plan.BaseFrames);

            plan = StreamPlan.Make(Spoken(5, 4), 105, 16000, 30, false, default); // frame 105 is at 3.5 s
            Assert.AreEqual(1L * 16000, plan.StartSample, "two seconds before it are there");

            plan = StreamPlan.Make(Spoken(0.5, 4), 0, 16000, 60, false, default);
            Assert.AreEqual(0L, plan.StartSample);
        }

        [Test]
        public void AResumeOfAStreamWithAnOffsetKeepsTheOffset()
        {
            StreamPlan begun = StreamPlan.Make(Spoken(100, 4), 0, 16000, 30, false, default);
            Assert.AreEqual(96L * 30, begun.BaseFrames);
            StreamPlan plan = StreamPlan.Make(Spoken(103, 4), 101 * 30, 16000, 30, true, begun);
            Assert.IsTrue(plan.Resumes);
            Assert.AreEqual(begun.BaseSamples, plan.BaseSamples);
            Assert.AreEqual(begun.BaseFrames, plan.BaseFrames);
            Assert.AreEqual(99L * 16000, plan.StartSample);
        }

        [Test]
        public void ControlsComeAfterTheirAudioAndStatesAreSaidAgain()
        {
            var log = new ControlLog();
            log.Add(new Control(ControlKind.Mute, 100));
            log.Add(new Control(ControlKind.Flush, 200));
            log.Add(new Control(ControlKind.Unmute, 300));
            log.Add(new Control(ControlKind.RematchIdentity, 350));
            log.Add(new Control(ControlKind.Shaping, 400));
            log.Add(new Control(ControlKind.Mute, 500));
            Assert.IsFalse(log.TryNext(99, out _));
            Assert.AreEqual("Mute Flush", Take(log, 250));
            Assert.AreEqual("Unmute RematchIdentity Shaping", Take(log, 450));

            log.Rewind(320, 351);
            Assert.AreEqual("Unmute", Take(log, 320));
            Assert.AreEqual("Shaping", Take(log, 400), "the server remembers the identity");
            Assert.AreEqual("Mute", Take(log, 500));

            log.Rewind(600, 0);
            Assert.AreEqual("Mute Shaping", Take(log, 600));
            Assert.AreEqual("", Take(log, 10000));
        }

        [Test]
        public void WhatTheTokenDoesNotKnowIsSaidAgain()
        {
            var log = new ControlLog();
            log.Add(new Control(ControlKind.RematchIdentity, 100));
            log.Add(new Control(ControlKind.Flush, 150));
            log.Add(new Control(ControlKind.RematchIdentity, 200));
            log.Add(new Control(ControlKind.Flush, 250));
            Assert.AreEqual("RematchIdentity Flush RematchIdentity Flush", Take(log, 300));

            log.Rewind(50, 120);
            Assert.AreEqual("", Take(log, 149));
            Assert.AreEqual("Flush", Take(log, 150));
            Assert.AreEqual("RematchIdentity", Take(log, 249));
            Assert.AreEqual("Flush", Take(log, 250));

            log.Rewind(225, 120);
            Assert.AreEqual("RematchIdentity", Take(log, 225), "before the audio; its flush has nothing to drop any more");
            Assert.AreEqual("Flush", Take(log, 250));

            log.Rewind(225, 251);
            Assert.AreEqual("", Take(log, 1000), "the token knows all");
        }

        [Test]
        public void AGameThatStandsStillLosesNoVoiceUntilTheLoopIsFull()
        {
            var loop = new CaptureLoop(1000, 100, 5.0); // ten seconds
            Assert.AreEqual(0L, loop.Observe(5.5, 51));
            Assert.AreEqual(51, loop.Available);
            loop.Take(50);
            Assert.AreEqual(0L, loop.Observe(15.0, 998), "nine and a half seconds later");
            Assert.AreEqual(948, loop.Available);
            loop.Take(940);
            Assert.AreEqual(990, loop.Position);
            Assert.AreEqual(0L, loop.Observe(15.2, 20));
            Assert.AreEqual(30, loop.Available);
            loop.Take(30);
            Assert.AreEqual(20, loop.Position);
            Assert.AreEqual(1000L, loop.Observe(28.2, 318), "thirteen seconds: once round");
            Assert.AreEqual(298, loop.Available);
            loop.Take(298);
            Assert.AreEqual(3000L, loop.Observe(58.3, 330), "half a minute");
            Assert.AreEqual(12, loop.Available);
            Assert.AreEqual(0L, loop.Observe(58.4, 330), "a device that has stopped loses nothing");
        }

        [Test]
        public void WhatWasLostIsSilenceOfTheSameLength()
        {
            var ring = new AudioRing(10);
            ring.Write(new float[] { 1, 2, 3 });
            ring.Skip(4);
            ring.Write(new float[] { 4 });
            long from = 0;
            var read = new float[10];
            Assert.AreEqual(8, ring.Read(ref from, read));
            Assert.AreEqual("1 2 3 0 0 0 0 4 0 0", string.Join(" ", read));
            ring.Skip(1_000_000_007);
            from = 0;
            Assert.AreEqual(1_000_000_015L, ring.Written);
            Assert.AreEqual(10, ring.Read(ref from, read));
            Assert.AreEqual(1_000_000_005L, from);
            Assert.AreEqual("0 0 0 0 0 0 0 0 0 0", string.Join(" ", read));
        }

        [TestCase("http://voice.example.com:50051", "secret", true)]
        [TestCase("http://192.0.2.7:50051", "secret", true)]
        [TestCase("http://192.0.2.7:50051", "", false)]
        [TestCase("https://voice.example.com:50051", "secret", false)]
        [TestCase("http://127.0.0.1:50051", "secret", false)]
        [TestCase("http://localhost:50051", "secret", false)]
        [TestCase("http://[::1]:50051", "secret", false)]
        public void ATokenThatOthersCouldReadIsKnown(string server, string token, bool exposed)
        {
            using (var client = new LiveTalkerClient(server, new System.Net.Http.HttpClientHandler(), token))
            {
                Assert.AreEqual(exposed, client.SendsTokenInPlainText);
            }
        }

        [Test]
        public void HoursOfControlsDoNotPileUp()
        {
            var log = new ControlLog();
            for (int i = 0; i < 10000; i++)
            {
                log.Add(new Control(i % 2 == 0 ? ControlKind.Mute : ControlKind.Unmute, i));
                Take(log, i);
            }

            log.Rewind(20000, 0);
            Assert.AreEqual("Unmute", Take(log, 20000));
        }

        [Test]
        public async Task ASignalWakesItsWaiterOnceAndIsRemembered()
        {
            var signal = new AsyncSignal();
            signal.Set();
            signal.Set();
            await signal.WaitAsync();
            Task waiting = signal.WaitAsync().AsTask();
            Assert.IsFalse(waiting.IsCompleted, "two sets are one");
            signal.Set();
            Assert.IsTrue(await Task.WhenAny(waiting, Task.Delay(5000)) == waiting);
        }

        [TestCase("")]
        [TestCase("!!!")]
        [TestCase("CAg")]
        public void DetailsThatCannotBeReadCountAsNone(string base64)
        {
            StatusDetails details = StatusDetails.Parse(base64);
            Assert.AreEqual("", details.Reason);
            Assert.IsNull(details.RetryAfter);
        }

        private static AudioRing Spoken(double seconds, double kept)
        {
            var ring = new AudioRing((int)(kept * 16000));
            ring.Write(new float[(int)Math.Round(seconds * 16000)]);
            return ring;
        }

        private static string Take(ControlLog log, long sent)
        {
            string taken = "";
            while (log.TryNext(sent, out Control control))
            {
                taken += (taken.Length > 0 ? " " : "") + control.Kind;
            }

            return taken;
        }
    }
}
