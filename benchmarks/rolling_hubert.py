"""Whether a public HuBERT of the base size keeps real time on a processor, and with how many streams.

A bundle with HuBERT base of random weights (only the shape costs) is written and served, and ``livetalker bench``
searches for the largest number of live streams that keep up. Such a stream gets its frames in hops. One that keeps up
has its hop before the next is due, so the limit on its lateness is the encoder's delay and one hop; who falls behind is
past that within the length of a run.

``python -m benchmarks.rolling_hubert --out DIR``
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.bundles import write_hubert_bundle
from benchmarks.capacity import bench, found
from benchmarks.records import add_out, cell, record, table
from diffusiontalker.bundle import open_bundle
from diffusiontalker.encoder.rolling_config import RollingHubertConfig
from diffusiontalker.geometry import FEATURE_STRIDE, SAMPLE_RATE


def limit_ms(config: RollingHubertConfig) -> float:
    """Lateness, beyond a preset's look-ahead, that a stream which keeps up stays under, milliseconds."""
    return 1e3 * (config.delay + config.hop * FEATURE_STRIDE) / SAMPLE_RATE


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_out(parser)
    parser.add_argument("--hop", type=int, default=25, help="features kept of a window")
    parser.add_argument("--window", type=int, nargs="+", default=[100, 50], help="features of a window; one or more")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--most", type=int, default=8, help="most streams to try")
    parser.add_argument("--hubert-layers", type=int, default=12, help="fewer only to try this out")
    options = parser.parse_args()
    rows = []
    for window in options.window:
        config = RollingHubertConfig("hubert-base-random", window=window, hop=options.hop)
        with tempfile.TemporaryDirectory() as scratch:
            model = write_hubert_bundle(Path(scratch) / "hubert", open_bundle(), config, options.hubert_layers).folder
            command = ["--backend", "cpu", "--threads", str(options.threads), "--model", str(model)]
            command += ["--fps", "30", "--seconds", f"{options.seconds:g}", "--find-capacity", "--streams", "1"]
            command += ["--most", str(options.most), "--p99", f"{limit_ms(config):g}"]
            report = bench(options.out / "bench" / f"rolling-{options.hop}-{window}.json", command)
        shape = {"hop": options.hop, "window": window, "hubert_layers": options.hubert_layers}
        delay = 1e3 * config.delay / SAMPLE_RATE
        rows.append({**shape, "threads": options.threads, "delay_ms": delay, **found(report)})
    lines = [
        [
            f"{row['hop']}, {row['window']}",
            f"{row['delay_ms']:.0f}",
            f"{row['bound']}: {row['streams']}",
            cell((row["report"]["lateness_ms"] or {}).get("p99"), ".0f"),
        ]
        for row in rows
    ]
    print(table(["hop, window", "delay added, ms", "streams in real time", "p99, ms"], lines))
    print(record("rolling_hubert", ["rolling_hubert", *sys.argv[1:]], {"rows": rows}).write(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
