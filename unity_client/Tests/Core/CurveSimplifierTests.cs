// Thinned curves stay within their tolerance.
using System;
using System.Collections.Generic;
using System.Linq;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    public sealed class CurveSimplifierTests
    {
        [TestCase(1)]
        [TestCase(2)]
        [TestCase(500)]
        public void StraightLinesBetweenTheKeysStayNear(int count)
        {
            var random = new Random(9);
            float[] values = Enumerable.Range(0, count).Select(n => (float)(Math.Sin(n * 0.05) + (random.NextDouble() * 0.002))).ToArray();
            const float Tolerance = 0.01f;
            List<int> kept = CurveSimplifier.Keep(values, Tolerance);
            Assert.AreEqual(0, kept[0]);
            Assert.AreEqual(count - 1, kept[kept.Count - 1]);
            for (int k = 1; k < kept.Count; k++)
            {
                int from = kept[k - 1];
                int to = kept[k];
                Assert.Greater(to, from);
                for (int n = from; n <= to; n++)
                {
                    double line = values[from] + ((values[to] - values[from]) * (double)(n - from) / (to - from));
                    Assert.Less(Math.Abs(line - values[n]), Tolerance * 1.0001, $"sample {n}");
                }
            }

            Assert.LessOrEqual(kept.Count, Math.Max(count / 3, 2));
        }

        [Test]
        public void AConstantNeedsTwoKeysAndNothingNone()
        {
            Assert.AreEqual(2, CurveSimplifier.Keep(new float[100], 0.001f).Count);
            Assert.AreEqual(0, CurveSimplifier.Keep(new float[0], 0.001f).Count);
        }
    }
}
