"""What workers share and divide: places, a port, GPUs and cores."""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from livetalker.address import AddressInUseError
from livetalker.cli.main import main
from livetalker.core.admission import EngineFull
from livetalker.core.config import StreamConfig
from livetalker.engine.backends.devices import CudaDevice
from livetalker.engine.engine import Engine
from livetalker.rpc.options import ServerOptions
from livetalker.workers.places import SharedCounts, SharedPlaces
from livetalker.workers.port import reserved_port
from livetalker.workers.setup import WorkerSetup

SPAWN = multiprocessing.get_context("spawn")


def test_engines_share_places_and_give_them_back(tiny_bundle: Path) -> None:
    counts = SharedCounts(processes=2, total=3)
    first, second = (
        Engine.load(tiny_bundle, max_streams=3, threads=1, places=SharedPlaces(counts, number)) for number in range(2)
    )
    held = [first.open(StreamConfig(), lambda _: None) for _ in range(2)]
    held.append(second.open(StreamConfig(), lambda _: None))
    for engine in (first, second):
        with pytest.raises(EngineFull, match="all 3 streams are taken"):
            engine.open(StreamConfig(), lambda _: None)
    held[0].close()
    first.tick()
    again = second.open(StreamConfig(), lambda _: None)
    with pytest.raises(EngineFull):
        first.open(StreamConfig(), lambda _: None)
    again.close()
    assert second.open(StreamConfig(), lambda _: None), "who closes a stream can open another one at once"
    first.stop()
    assert second.open(StreamConfig(), lambda _: None), "an engine that stops gives its places back"
    second.stop()
    counts.close()


def take_all(counts: SharedCounts, process: int, taken: Connection) -> None:
    """Takes and gives back, then takes what it can get, and says how much that was."""
    for _ in range(200):
        if counts.take(process):
            counts.give_back(process)
    number = 0
    while number < 50 and counts.take(process):
        number += 1
    taken.send(number)
    taken.recv()


def test_processes_never_take_more_than_there_is_and_the_dead_give_back() -> None:
    counts = SharedCounts(processes=3, total=70)
    pipes = [SPAWN.Pipe() for _ in range(2)]
    takers = [SPAWN.Process(target=take_all, args=(counts, n, pipes[n][1])) for n in range(2)]
    for taker in takers:
        taker.start()
    numbers = [pipe.recv() for pipe, _ in pipes]
    assert sum(numbers) == 70
    assert not counts.take(2)
    for taker in takers:
        taker.kill()
        taker.join()
    counts.clear(0)
    assert all(counts.take(2) for _ in range(numbers[0]))
    assert not counts.take(2)
    counts.clear(1)
    assert counts.take(2)
    counts.close()


def test_a_port_is_reserved_for_listeners_that_share_it() -> None:
    with reserved_port("127.0.0.1", 0) as port:
        assert port > 0
        with pytest.raises(AddressInUseError, match=f"127.0.0.1:{port}"), reserved_port("127.0.0.1", port):
            pytest.fail("it is somebody else's, although nobody listens yet")
        listeners = []
        for _ in range(2):
            listeners.append(socket.socket())
            listeners[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listeners[-1].bind(("127.0.0.1", port))
            listeners[-1].listen()
        with pytest.raises(AddressInUseError, match=f"127.0.0.1:{port}"), reserved_port("127.0.0.1", port):
            pytest.fail("it is somebody else's")
        for listener in listeners:
            listener.close()


@pytest.mark.parametrize("shared", [0, 1])
def test_connections_left_behind_do_not_keep_a_port_from_its_next_server(shared: int) -> None:
    with socket.socket() as listener, socket.socket() as client:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        client.connect(("127.0.0.1", port))
        listener.accept()[0].close()  # who closes first is left waiting
    with reserved_port("127.0.0.1", port) as reserved:
        assert reserved == port


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_of_another_machine_cannot_be_reserved(host: str) -> None:
    with pytest.raises(AddressInUseError, match="no address of this machine"), reserved_port(host, 0):
        pytest.fail("it is not here")


def test_a_system_that_cannot_share_ports_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    assert main(["serve", "--workers", "2", "--port", "0"]) == 1
    assert capsys.readouterr().err == (
        "livetalker: this system cannot share a port among processes: serve without --workers\n"
    )


def test_a_number_of_workers_below_one_is_an_expected_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--workers", "0"]) == 1
    assert "--workers is 0; give 1 or more" in capsys.readouterr().err


def setup(workers: int, backend: str, device: int | None = None, threads: int | None = None) -> WorkerSetup:
    return WorkerSetup(ServerOptions(), workers, 8, None, backend, device, threads, logging.WARNING)


def test_workers_take_turns_with_the_visible_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = [CudaDevice(index, "a GPU", "9.0", "12.8") for index in range(2)]
    monkeypatch.setattr("livetalker.engine.backends.devices.visible_devices", lambda: gpus)
    assert [setup(3, "cuda").device_of(n) for n in range(3)] == [0, 1, 0]
    assert [setup(3, "auto").device_of(n) for n in range(3)] == [0, 1, 0]
    assert [setup(3, "cuda", device=1).device_of(n) for n in range(3)] == [1, 1, 1]
    assert [setup(2, "cpu").device_of(n) for n in range(2)] == [0, 0]
    gpus.clear()
    assert [setup(2, "auto").device_of(n) for n in range(2)] == [0, 0]


def test_workers_divide_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [setup(workers, "cpu").threads_each() for workers in (2, 3, 16)] == [4, 2, 1]
    assert setup(2, "cpu", threads=3).threads_each() == 3
