from __future__ import annotations

import subprocess
import sys

from livetalker.bench.usage import ProcessMeter

PROGRAM = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); sum(range(10**7)); input()"])
child.wait()
"""


def test_a_server_counts_with_its_children_even_when_it_dies_meanwhile() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        meter = ProcessMeter(process.pid)
        assert meter.usage() is None
        meter.begin()
        meter.sample()
        process.communicate("\n")
        meter.sample()
        meter.end()
    usage = meter.usage()
    assert usage is not None
    assert usage.processes == 2 and usage.cpu_percent >= 0
    assert usage.rss_mb > 5 and usage.rss_idle_mb > 5
