// The codec by itself: that it allocates nothing, and what it does with what the contract does not know yet.
using System;
using System.Diagnostics;
using LiveTalker.Wire;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class CodecTests
    {
        [Test]
        public void FramesAreDecodedAndAudioIsEncodedWithoutAllocating()
        {
            const int Rounds = 20000;
            byte[] message = Frames(2);
            var decoder = new ResponseDecoder();
            var counter = new Counter();
            var writer = new ProtoWriter(4096);
            var chunk = new float[960];
            decoder.Decode(message, counter);
            RequestEncoder.WriteAudio(writer, 1L << 40, chunk);
            var decoding = new Stopwatch();
            var encoding = new Stopwatch();
            long before = GC.GetAllocatedBytesForCurrentThread();
            decoding.Start();
            for (int i = 0; i < Rounds; i++)
            {
                decoder.Decode(message, counter);
            }

            decoding.Stop();
            encoding.Start();
            for (int i = 0; i < Rounds; i++)
            {
                RequestEncoder.WriteAudio(writer, 1L << 40, chunk);
                writer.Finish();
            }

            encoding.Stop();
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Console.WriteLine(
                $"     a frame is decoded in {decoding.Elapsed.TotalMilliseconds * 1e6 / Rounds / 2:0} ns, 20 ms of audio at 48 kHz "
                + $"are encoded in {encoding.Elapsed.TotalMilliseconds * 1e6 / Rounds:0} ns, {allocated} bytes allocated");
            Assert.AreEqual(0L, allocated);
            Assert.AreEqual(2 * (Rounds + 1), counter.Count);
        }

        [Test]
        public void WhatTheContractWillKnowOneDayIsSkipped()
        {
            var writer = new ProtoWriter();
            writer.WriteInt(900, 5);
            int response = writer.Begin(2);
            writer.WriteStringAlways(77, "something new");
            int frame = writer.Begin(1);
            writer.WriteInt(1, 41);
            writer.WriteFloatAlways(3, 0.25f); // not packed, which is legal
            writer.WriteFloatAlways(3, 0.75f);
            writer.WriteFloatAlways(99, 1);
            writer.End(frame);
            writer.End(response);
            writer.WriteTag(901, WireType.Fixed64);
            writer.Take(8).Clear();
            var counter = new Counter();
            new ResponseDecoder().Decode(writer.Message, counter);
            Assert.AreEqual(1, counter.Count);
            Assert.AreEqual(41, counter.LastIndex);
            Assert.AreEqual(1.0, counter.Sum, 1e-6);
        }

        [Test]
        public void MoreCoefficientsThanAnybodyHasAreCutOff()
        {
            var writer = new ProtoWriter();
            int response = writer.Begin(2);
            int frame = writer.Begin(1);
            for (int i = 0; i < 1000; i++)
            {
                writer.WriteFloatAlways(3, 1);
            }

            writer.End(frame);
            writer.End(response);
            var counter = new Counter();
            new ResponseDecoder().Decode(writer.Message, counter);
            Assert.AreEqual(256, counter.Sum, 1e-6);
        }

        [TestCase(0f, 0)]
        [TestCase(1f, 32767)]
        [TestCase(-1f, -32768)]
        [TestCase(9f, 32767)]
        [TestCase(float.NegativeInfinity, -32768)]
        [TestCase(float.NaN, 0)]
        [TestCase(0.5f, 16384)]
        public void SamplesOutOfRangeAreCutOff(float sample, int expected)
        {
            var writer = new ProtoWriter();
            RequestEncoder.WriteAudio(writer, 0, new[] { sample });
            ReadOnlySpan<byte> message = writer.Message;
            Assert.AreEqual(expected, (short)(message[message.Length - 2] | (message[message.Length - 1] << 8)));
        }

        private static byte[] Frames(int count)
        {
            var writer = new ProtoWriter();
            int response = writer.Begin(2);
            for (int n = 0; n < count; n++)
            {
                int frame = writer.Begin(1);
                writer.WriteInt(1, 100000 + n);
                writer.WriteInt(2, (100000 + n) * 16666L);
                writer.WriteTag(3, WireType.LengthDelimited);
                writer.WriteVarint(Arkit.Count * 4);
                writer.Take(Arkit.Count * 4).Fill(0x3d);
                writer.End(frame);
            }

            writer.End(response);
            return writer.Message.ToArray();
        }

        private sealed class Counter : IResponseSink
        {
            public int Count { get; private set; }

            public long LastIndex { get; private set; }

            public float Sum { get; private set; }

            public void OnFrame(long index, long timeUs, ReadOnlySpan<float> weights)
            {
                Count++;
                LastIndex = index;
                Sum = 0;
                foreach (float weight in weights)
                {
                    Sum += weight;
                }
            }

            public void OnStarted(StreamInfo info)
            {
            }

            public void OnEvent(SessionEvent occurred)
            {
            }

            public void OnResumePoint(byte[] token, long frameIndex)
            {
            }
        }
    }
}
