// Names and visemes as the vectors say that all clients share.
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class NameVectorTests
    {
        [Test]
        public void TheFiftyTwoAreThePythonOnes()
        {
            Assert.AreEqual(
                string.Join(" ", Names().GetProperty("arkit").EnumerateArray()), string.Join(" ", Arkit.Names));
        }

        [TestCase("perfect_sync")]
        [TestCase("cc4_standard")]
        [TestCase("cc4_extended")]
        [TestCase("metahuman")]
        public void AutoMapKnowsEveryNameOfAConvention(string convention)
        {
            var expected = new SortedSet<string>();
            var shapes = new List<string>();
            foreach (JsonProperty coefficient in Names().GetProperty("conventions").GetProperty(convention).EnumerateObject())
            {
                foreach (JsonElement shape in coefficient.Value.EnumerateArray())
                {
                    expected.Add($"{coefficient.Name}>{shape}");
                    shapes.Add(shape.GetString());
                }
            }

            var found = new SortedSet<string>(AutoMap.Match(shapes).Select(m => $"{m.Binding.Source}>{m.Binding.Target}"));
            Assert.AreEqual("", string.Join(" ", expected.Except(found)), "not found");
            Assert.AreEqual("", string.Join(" ", found.Except(expected)), "found and wrong");
            Assert.Greater(expected.Count, 45);
        }

        [Test]
        public void AutoMapDrivesTheExpressionsOfVrm()
        {
            JsonElement driven = Names().GetProperty("vrm1");
            List<string> presets = Names().GetProperty("vrm1_presets").EnumerateArray().Select(p => p.GetString()).ToList();
            var found = AutoMap.Match(presets).GroupBy(m => m.Binding.Target).ToDictionary(g => g.Key, g => g.ToList());
            foreach (JsonProperty expression in driven.EnumerateObject())
            {
                var expected = new SortedSet<string>();
                foreach (JsonProperty kind in expression.Value.EnumerateObject())
                {
                    foreach (JsonProperty source in kind.Value.EnumerateObject())
                    {
                        string name = kind.Name == "visemes" ? FaceChannels.VisemePrefix + source.Name : source.Name;
                        expected.Add($"{name}*{source.Value.GetDouble()}");
                    }
                }

                Assert.IsTrue(found.ContainsKey(expression.Name), expression.Name);
                Assert.AreEqual(
                    string.Join(" ", expected),
                    string.Join(" ", new SortedSet<string>(found[expression.Name].Select(m => $"{m.Binding.Source}*{m.Binding.Gain}"))));
            }

            foreach (string mood in new[] { "happy", "angry", "sad", "relaxed", "surprised", "neutral" })
            {
                Assert.IsFalse(found.ContainsKey(mood), mood);
            }
        }

        [Test]
        public void AutoMapUnderstandsTheSpellingsOfMeshes()
        {
            foreach (JsonElement spelling in Names().GetProperty("spellings").EnumerateArray())
            {
                string mesh = spelling.GetProperty("mesh").GetString();
                string expected = spelling.GetProperty("arkit").GetString();
                string found = AutoMap.Match(new[] { mesh })
                    .Select(m => m.Binding.Source).FirstOrDefault(source => Arkit.IndexOf(source) >= 0);
                Assert.AreEqual(expected, found, mesh);
            }
        }

        [Test]
        public void VisemesAreThoseOfTheVectors()
        {
            JsonElement vectors = Read("visemes.json");
            Assert.AreEqual(string.Join(" ", vectors.GetProperty("visemes").EnumerateArray()), string.Join(" ", Visemes.Names));
            double tolerance = vectors.GetProperty("tolerance").GetDouble();
            var visemes = new float[Visemes.Count];
            int cases = 0;
            foreach (JsonElement one in vectors.GetProperty("cases").EnumerateArray())
            {
                float[] face = one.GetProperty("face").EnumerateArray().Select(x => (float)x.GetDouble()).ToArray();
                Visemes.FromFace(face, visemes);
                for (int v = 0; v < Visemes.Count; v++)
                {
                    Assert.AreEqual(one.GetProperty("weights")[v].GetDouble(), visemes[v], tolerance, $"case {cases}, {Visemes.Names[v]}");
                }

                cases++;
            }

            Assert.GreaterOrEqual(cases, 10);
        }

        private static JsonElement Names()
        {
            return Read("blendshape_names.json");
        }

        private static JsonElement Read(string file)
        {
            return JsonDocument.Parse(File.ReadAllText(Path.Combine(Python.Repository, "tests", "vectors", file))).RootElement;
        }
    }
}
