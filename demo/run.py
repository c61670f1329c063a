"""The demo: starts the service, streams the bundled clip through it at microphone pace, shows and saves the face.

Writes ``demo/demo.csv`` (Live Link Face form) and ``demo/demo.png``. Run it with ``make demo``.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from diffusiontalker.geometry import DEFAULT_PRESET
from diffusiontalker.phones import TimedPhone
from livetalker.client import LiveTalkerClient, LiveTalkerError, StreamConfig
from livetalker.client.sources import paced
from livetalker.client.watch import Watched, watch
from livetalker.media.audio_files import Audio, read_audio
from livetalker.media.face_files import FaceTake, write_take
from livetalker.media.picture import draw_take

HERE: Final = Path(__file__).resolve().parent
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
TICK_SECONDS: Final = 3.0
LATE_MS: Final = 200.0
"""A face whose frames come later than this is seen to lag behind its voice."""
TOO_LATE: Final = (
    "[bold yellow]too late[/]  for a live face: this computer is too slow, or was busy with something else; "
    "free it and try again. The pictures and files show the right face all the same"
)
GREETING: Final = re.compile(r"^serving .*, up to [^,]*, on (.*); Ctrl-C stops$")
SLOWER: Final = "slower than it could be"
NO_KERNELS: Final = (
    "          [yellow]slower than it could be[/]: no C++ compiler was there when this was installed; where there is "
    "one now, 'make clean demo' installs it anew"
)
console: Final = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Service:
    """The service as a process of its own.

    Attributes:
        process: of it.
        log: file with what it says.
    """

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> list[str]:
        """Its words so far, line by line."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def backend(self) -> str:
        """What it says that the model runs on; empty while it has not."""
        greetings = (GREETING.search(line) for line in self.said())
        return next((greeting[1] for greeting in greetings if greeting), "")


@contextmanager
def service(port: int) -> Iterator[Service]:
    """Starts the service and stops it as a service manager would."""
    command = [sys.executable, "-m", "livetalker.cli.main", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "service.log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        running = Service(process, log)
        try:
            yield running
            process.send_signal(signal.SIGINT if os.name == "nt" else signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
            if code:
                raise DemoError(f"the service ended with status {code} instead of stopping cleanly")
        except (DemoError, LiveTalkerError, subprocess.TimeoutExpired):
            console.print("\n".join(running.said())[-4000:], style="dim", markup=False)
            raise
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


async def wait_until_serving(client: LiveTalkerClient, process: subprocess.Popen[bytes]) -> None:
    """Wait for the service to load its model and answer, or to give up."""
    reachable = asyncio.create_task(client.wait_until_reachable(START_SECONDS))
    while not reachable.done():
        if process.poll() is not None:
            reachable.cancel()
            raise DemoError("the service did not start; what it said is above")
        await asyncio.wait([reachable], timeout=0.2)
    await reachable


@asynccontextmanager
async def ticking() -> AsyncIterator[None]:
    """Where no meter can be drawn, says every few seconds that the stream is still under way."""

    async def tick() -> None:
        passed = 0.0
        while not console.is_terminal:
            await asyncio.sleep(TICK_SECONDS)
            passed += TICK_SECONDS
            console.print(f"          streaming for {passed:.0f} s")

    ticks = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticks.cancel()


async def stream(audio: Audio) -> Watched:
    """Start the service, stream the clip in real time under the meter, and stop the service."""
    port = free_port()
    with service(port) as running:
        async with LiveTalkerClient(f"127.0.0.1:{port}") as client:
            with console.status("starting the service"):
                await wait_until_serving(client, running.process)
            model = await client.model_info()
            console.print(f"service   listening on 127.0.0.1:{port}")
            console.print(f"model     {model.name} {model.version}, {model.steps} denoise steps a frame")
            console.print(f"backend   {running.backend()}")
            if SLOWER in "".join(running.said()):
                console.print(NO_KERNELS)
            console.print(f"clip      {audio.duration:.1f} s at {audio.rate} Hz, sent at the pace of a microphone")
            source = paced(audio.samples, audio.rate)
            config = StreamConfig(sample_rate=audio.rate)
            async with ticking():
                return await watch(client, source, config, total_seconds=audio.duration, console=console)


def read_phones(path: Path) -> list[TimedPhone]:
    """The clip's phones, as ``make_clip.py`` wrote them."""
    rows = (line.split("\t") for line in path.read_text(encoding="ascii").splitlines())
    return [TimedPhone(phone, float(start), float(end)) for phone, start, end in rows]


def main() -> int:
    """Run the demo; the exit status."""
    audio = read_audio(HERE / "clip.flac")
    try:
        watched = asyncio.run(stream(audio))
        if watched.latency is None:
            raise DemoError("the service sent no frames")
    except (DemoError, LiveTalkerError, subprocess.TimeoutExpired) as error:
        console.print(f"[bold red]demo failed:[/] {error}")
        return 1
    info, latency = watched.info, watched.latency
    made = (DEFAULT_PRESET, info.model_name, info.model_version, StreamConfig().seed)
    take = FaceTake(watched.frames, info.fps, watched.identity, *made)
    look_ahead = info.algorithmic_latency_us / 1000
    write_take(HERE / "demo.csv", take)
    with console.status("drawing"):
        draw_take(
            HERE / "demo.png",
            audio,
            take,
            phones=read_phones(HERE / "clip.phones.tsv"),
            title="LiveTalker: a voice, and the face it moved",
            note=f"{len(take.frames)} frames streamed live at {info.fps} fps, {look_ahead:.0f} ms look-ahead, "
            f"then p50 {latency.p50:.0f} ms, p95 {latency.p95:.0f} ms",
        )
    console.print(f"frames    {len(take.frames)} at {info.fps} fps, in the style of {watched.identity or 'neutral'}")
    console.print(
        f"latency   {look_ahead:.0f} ms of look-ahead, then until the frame was here: p50 {latency.p50:.1f} ms, "
        f"p95 {latency.p95:.1f} ms, p99 {latency.p99:.1f} ms"
    )
    if latency.p95 > LATE_MS:
        console.print(TOO_LATE)
    console.print("stopped   the service, cleanly")
    console.print(f"wrote     {_shown('demo.csv')}, the face as the Live Link Face app would have recorded it")
    console.print(f"          {_shown('demo.png')}, the picture: look at it")
    return 0


def _shown(name: str) -> str:
    path = HERE / name
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(main())
