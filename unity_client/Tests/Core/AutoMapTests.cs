// Name matching beyond the shared vectors: sides, both sides at once, visemes, and what must not match.
using System.Collections.Generic;
using System.Linq;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class AutoMapTests
    {
        [Test]
        public void AFullArkitMeshIsMappedOneToOne()
        {
            IReadOnlyList<AutoMapMatch> matches = AutoMap.Match(Arkit.Names.ToList());
            Assert.AreEqual(Arkit.Count, matches.Count);
            Assert.IsTrue(matches.All(m => m.Binding.Source == m.Binding.Target && m.Kind == MatchKind.SameName && m.Binding.Gain == 1));
        }

        [Test]
        public void AnUnknownPrefixOfAllNamesIsNoObstacle()
        {
            string[] names = { "XyzHero_JawOpen", "XyzHero_EyeBlink_R", "XyzHero_Hat", "XyzHero_MouthPucker" };
            Assert.AreEqual(
                "jawOpen>XyzHero_JawOpen eyeBlinkRight>XyzHero_EyeBlink_R mouthPucker>XyzHero_MouthPucker", Describe(names));
        }

        [Test]
        public void OneShapeForBothSidesIsMovedByHalfOfEach()
        {
            IReadOnlyList<AutoMapMatch> matches = AutoMap.Match(new[] { "mouthSmile" });
            Assert.AreEqual("mouthSmileLeft mouthSmileRight", string.Join(" ", matches.Select(m => m.Binding.Source)));
            Assert.IsTrue(matches.All(m => m.Binding.Gain == 0.5f));
        }

        [Test]
        public void TwoHalvesOfAShapeWithoutSidesAreBothMoved()
        {
            Assert.AreEqual("cheekPuff>Cheek_Puff_L cheekPuff>Cheek_Puff_R", Describe("Cheek_Puff_L", "Cheek_Puff_R"));
        }

        [Test]
        public void ACloseNameGivesWayToTheRightOne()
        {
            Assert.AreEqual("jawOpen>jawOpen", Describe("jawOpenX", "jawOpen"));
            IReadOnlyList<AutoMapMatch> alone = AutoMap.Match(new[] { "jawOpne" });
            Assert.AreEqual(MatchKind.NearestName, alone.Single().Kind);
        }

        [Test]
        public void EnumeratedNamesAreUnderstood()
        {
            Assert.AreEqual("browInnerUp>A01_Brow_Inner_Up jawOpen>A25_Jaw_Open", Describe("A01_Brow_Inner_Up", "A25_Jaw_Open"));
        }

        [Test]
        public void VisemesAreMappedWhereThereAreNoMouthShapes()
        {
            string[] vrm = { "A", "I", "U", "E", "O", "Blink_L", "Blink_R" };
            Assert.AreEqual(
                "viseme_aa>A viseme_ih>I viseme_ou>U viseme_E>E viseme_oh>O eyeBlinkLeft>Blink_L eyeBlinkRight>Blink_R", Describe(vrm));
            Assert.AreEqual("viseme_sil>vrc.v_sil viseme_aa>vrc.v_aa viseme_PP>vrc.v_pp", Describe("vrc.v_sil", "vrc.v_aa", "vrc.v_pp"));
            Assert.AreEqual("viseme_ih>Fcl_MTH_I viseme_aa>あ", Describe("Fcl_MTH_I", "あ"));
        }

        [Test]
        public void VisemesAreLeftAloneWhereThereAre()
        {
            List<string> names = Arkit.Names.Concat(new[] { "viseme_aa", "V_Open" }).ToList();
            Assert.AreEqual(Arkit.Count, AutoMap.Match(names).Count);
        }

        [Test]
        public void WhatIsNoFaceIsLeftOut()
        {
            Assert.AreEqual("", Describe("BodyFat", "Hair_Length", "Hair_A", "Shirt_Off", "Basis", "Jacket", "Eyelashes", "", "_", "12"));
        }

        private static string Describe(params string[] names)
        {
            return string.Join(" ", AutoMap.Match(names).Select(m => $"{m.Binding.Source}>{m.Binding.Target}"));
        }
    }
}
