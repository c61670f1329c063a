"""What the Python client receives for the demo's sentence: ``python reference.py ADDRESS FPS SEED`` prints them as hex.

The C# client must receive the same from the same server.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from livetalker.client import StreamConfig, animate_file

CLIP = Path(__file__).resolve().parents[2] / "demo" / "clip.flac"


def main() -> None:
    """Streams the clip and prints one line a frame: 52 floats, little-endian."""
    address, fps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for frame in animate_file(CLIP, address, StreamConfig(fps=fps, seed=seed), realtime=False):
        print(np.asarray(frame.weights, "<f4").tobytes().hex())


if __name__ == "__main__":
    main()
