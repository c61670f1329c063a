// Leaves out the keys of a curve that a straight line between its neighbours makes superfluous.
using System;
using System.Collections.Generic;

namespace LiveTalker
{
    /// <summary>Thins baked curves.</summary>
    public static class CurveSimplifier
    {
        /// <summary>Chooses keys such that straight lines between them are nowhere further from the curve than a tolerance.</summary>
        /// <param name="values">The curve, evenly spaced.</param>
        /// <param name="tolerance">How far a value may be off.</param>
        /// <returns>Positions of the keys to keep, ascending; first and last are among them.</returns>
        public static List<int> Keep(IReadOnlyList<float> values, float tolerance)
        {
            var kept = new List<int>();
            if (values.Count == 0)
            {
                return kept;
            }

            kept.Add(0);
            int from = 0;
            // From each key, the slopes that all points since then allow; where none is left, the last point is a key.
            double low = double.NegativeInfinity;
            double high = double.PositiveInfinity;
            for (int to = 1; to < values.Count; to++)
            {
                double slope = (values[to] - values[from]) / (double)(to - from);
                if (slope < low || slope > high)
                {
                    from = to - 1;
                    kept.Add(from);
                    low = double.NegativeInfinity;
                    high = double.PositiveInfinity;
                }

                low = Math.Max(low, (values[to] - tolerance - values[from]) / (to - from));
                high = Math.Min(high, (values[to] + tolerance - values[from]) / (to - from));
            }

            if (from != values.Count - 1 || values.Count == 1)
            {
                kept.Add(values.Count - 1);
            }

            if (kept.Count > 1 && kept[kept.Count - 1] == kept[kept.Count - 2])
            {
                kept.RemoveAt(kept.Count - 1);
            }

            return kept;
        }
    }
}
