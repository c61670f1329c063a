// Retargeting, mixing, rest pose, smoothing, head and gaze.
using System;
using System.Linq;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class FaceTests
    {
        private static readonly int Jaw = Arkit.IndexOf("jawOpen");
        private static readonly int Smile = Arkit.IndexOf("mouthSmileLeft");
        private static readonly int Brow = Arkit.IndexOf("browInnerUp");

        [Test]
        public void AMapAppliesGainsOffsetsAndManyToOne()
        {
            var map = new RetargetMap(
                new[]
                {
                    new RetargetBinding("jawOpen", "Open", 2, -0.1f),
                    new RetargetBinding("mouthSmileLeft", "Smile", 0.5f),
                    new RetargetBinding("mouthSmileRight", "Smile", 0.5f),
                    new RetargetBinding("jawOpen", "Also"),
                    new RetargetBinding("browInnerUp", "Missing"),
                    new RetargetBinding("browInnerUp", "Brow", -1, 1),
                },
                new[] { "Other", "Open", "Smile", "Also", "Brow" });
            var channels = new float[FaceChannels.Count];
            channels[Jaw] = 0.4f;
            channels[Smile] = 0.6f;
            var shapes = new[] { 9f, 9f, 9f, 9f, 9f };
            map.Apply(channels, shapes);
            Assert.AreEqual(0, shapes[0], 1e-6);
            Assert.AreEqual(0.7, shapes[1], 1e-6);
            Assert.AreEqual(0.3, shapes[2], 1e-6);
            Assert.AreEqual(0.4, shapes[3], 1e-6);
            Assert.AreEqual(1, shapes[4], 1e-6, "reversed");
            Assert.AreEqual("Missing", string.Join(",", map.MissingTargets));
            Assert.IsTrue(map.IsBound(1) && !map.IsBound(0));
            Assert.IsTrue(map.IsUpperFace(4) && !map.IsUpperFace(1) && !map.IsUpperFace(0));
            channels[Jaw] = 0.9f;
            map.Apply(channels, shapes);
            Assert.AreEqual(1, shapes[1], 1e-6, "cut off");
        }

        [Test]
        public void AMapWithAnUnknownSourceSaysWhich()
        {
            var error = Assert.Throws<ArgumentException>(
                () => new RetargetMap(new[] { new RetargetBinding("jawOpn", "A") }, new[] { "A" }));
            StringAssert.Contains("\"jawOpn\"", error.Message);
        }

        [Test]
        public void SpeechIsMixedIntoWhatSomethingElseAnimates()
        {
            var mixer = new ShapeMixer(1);
            float mesh = 0.3f; // an Animator holds a smile of 0.3
            mesh = mixer.Mix(0, mesh, 0.5f, ShapeMix.Add);
            Assert.AreEqual(0.8, mesh, 1e-6);
            mesh = mixer.Mix(0, mesh, 0.2f, ShapeMix.Add);
            Assert.AreEqual(0.5, mesh, 1e-6, "nothing piles up where the Animator has stopped writing");
            mesh = mixer.Mix(0, 0.6f, 0.2f, ShapeMix.Add);
            Assert.AreEqual(0.8, mesh, 1e-6, "the Animator has moved it");
            Assert.AreEqual(0.6, mixer.Mix(0, mesh, 0.4f, ShapeMix.Max), 1e-6);
            Assert.AreEqual(0.4, mixer.Mix(0, 0.6f, 0.4f, ShapeMix.Replace), 1e-6);
            Assert.AreEqual(0.123, mixer.Mix(0, 0.123f, 0.4f, ShapeMix.LeaveAlone), 1e-6);
            Assert.AreEqual(0.6, mixer.Underlying(0), 1e-6);
        }

        [Test]
        public void ARestPoseIsLearntAndTakenOut()
        {
            var rest = new RestPose();
            rest.Learn(0.5);
            for (int i = 0; i < 60; i++)
            {
                var quiet = new float[Arkit.Count];
                quiet[Brow] = 0.2f;
                quiet[Arkit.IndexOf("eyeBlinkLeft")] = i % 30 == 0 ? 1 : 0;
                rest.Process(quiet, 1 / 60.0);
            }

            Assert.IsFalse(rest.IsLearning);
            var face = new float[Arkit.Count];
            face[Brow] = 0.2f;
            face[Jaw] = 0.5f;
            face[Arkit.IndexOf("eyeBlinkLeft")] = 1;
            rest.Process(face, 1 / 60.0);
            Assert.AreEqual(0, face[Brow], 1e-5);
            Assert.AreEqual(0.5, face[Jaw], 1e-5);
            Assert.AreEqual(1, face[Arkit.IndexOf("eyeBlinkLeft")], 1e-5, "blinks are no pose");
            face[Brow] = 1;
            rest.Process(face, 1 / 60.0);
            Assert.AreEqual(1, face[Brow], 1e-5, "the full movement is still reached");
            rest.Set(default);
            face[Brow] = 0.2f;
            rest.Process(face, 1 / 60.0);
            Assert.AreEqual(0.2, face[Brow], 1e-5);
        }

        [TestCase(30)]
        [TestCase(144)]
        public void SmoothingIsTheSameAtEveryFrameRate(int hz)
        {
            var smoother = new FaceSmoother { Seconds = 0.05f };
            var face = new float[Arkit.Count];
            smoother.Process(face, 0);
            for (int i = 0; i < hz / 10; i++)
            {
                face[Jaw] = 1;
                smoother.Process(face, 1f / hz);
            }

            Assert.AreEqual(1 - Math.Exp(-(hz / 10) / (double)hz / 0.05), face[Jaw], 1e-4);
        }

        [Test]
        public void TheHeadSwaysSmoothlyAndNodsWithTheJaw()
        {
            var head = new HeadMotion(5);
            var face = new float[Arkit.Count];
            HeadPose last = head.Sample(0, 0, face, 1, 1);
            float step = 0;
            for (int i = 1; i < 6000; i++)
            {
                face[Jaw] = i % 20 < 10 ? 0.6f : 0.1f;
                HeadPose pose = head.Sample(i / 60.0, 1 / 60f, face, 1, 1);
                step = Math.Max(step, Math.Abs(pose.Pitch - last.Pitch) + Math.Abs(pose.Yaw - last.Yaw) + Math.Abs(pose.Roll - last.Roll));
                Assert.Less(Math.Abs(pose.Pitch) + Math.Abs(pose.Yaw) + Math.Abs(pose.Roll), 12f);
                last = pose;
            }

            Assert.Less(step, 0.6f);
            HeadPose still = head.Sample(7, 1 / 60f, face, 1, 0);
            Assert.AreEqual(0, still.Pitch, 1e-6);
        }

        [Test]
        public void EyesLookWhereTheCoefficientsSay()
        {
            var face = new float[Arkit.Count];
            face[Arkit.IndexOf("eyeLookOutLeft")] = 0.5f;
            face[Arkit.IndexOf("eyeLookInRight")] = 0.5f;
            face[Arkit.IndexOf("eyeLookDownLeft")] = 1;
            Gaze.Sample(face, true, 30, 20, out float yaw, out float pitch);
            Assert.AreEqual(15, yaw, 1e-5);
            Assert.AreEqual(20, pitch, 1e-5);
            Gaze.Sample(face, false, 30, 20, out yaw, out pitch);
            Assert.AreEqual(15, yaw, 1e-5, "both eyes look to the character's left");
            Assert.AreEqual(0, pitch, 1e-5);
        }

        [Test]
        public void VisemesAddUpToOneAndMoveSmoothly()
        {
            var face = new float[Arkit.Count];
            var visemes = new float[Visemes.Count];
            var last = new float[Visemes.Count];
            Visemes.FromFace(face, last);
            Assert.Greater(last[Visemes.IndexOf("sil")], 0.5f);
            for (int i = 1; i <= 400; i++)
            {
                face[Jaw] = i / 400f;
                Visemes.FromFace(face, visemes);
                Assert.AreEqual(1, visemes.Sum(), 1e-4);
                for (int v = 0; v < Visemes.Count; v++)
                {
                    Assert.Less(Math.Abs(visemes[v] - last[v]), 0.06f, Visemes.Names[v]);
                }

                visemes.CopyTo(last, 0);
            }
        }
    }
}
