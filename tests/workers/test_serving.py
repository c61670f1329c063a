"""Several processes serve as one: spreading, the common limit, stopping, and what happens when one of them dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from livetalker.cli.main import main
from livetalker.client import LiveTalkerError
from livetalker.rpc.server import SERVICE
from livetalker.v1 import face_animation_pb2 as pb
from tests.workers.running import PATIENCE_S, Running, frames_of, held, opened, worker_of, workers_serving

LIMIT = 4


@pytest.fixture(scope="module")
def server(tiny_bundle: Path) -> Iterator[Running]:
    """Two workers for the tests that leave them alone."""
    with workers_serving(tiny_bundle, "--max-streams", str(LIMIT), "--grace", "1") as running:
        yield running
        running.process.terminate()
        assert running.wait() == (0, "")


async def test_streams_at_once_get_all_their_frames_whoever_serves_them(server: Running) -> None:
    assert "serving tiny 0 at " in server.greeting and ", in 2 processes;" in server.greeting
    assert len(server.workers()) == 2
    served_by: set[str] = set()
    async with asyncio.timeout(PATIENCE_S):
        while served_by != {"0", "1"}:
            async with AsyncExitStack() as stack:
                streams = await held(stack, server.address, LIMIT)
                frames = await asyncio.gather(*(frames_of(stream, 1.0) for stream in streams))
            assert frames == [list(range(30))] * LIMIT
            served_by |= {worker_of(stream) for stream in streams}


async def test_the_limit_is_for_all_workers_together(server: Running) -> None:
    for _ in range(3):
        async with AsyncExitStack() as stack:
            await held(stack, server.address, LIMIT)
            for _ in range(6):  # whichever worker they come to
                with pytest.raises(LiveTalkerError, match=f"all {LIMIT} streams are taken") as refused:
                    async with opened(server.address):
                        pytest.fail("a stream too many")
                assert refused.value.reason == "SERVER_FULL"


async def test_every_worker_answers_health_checks(server: Running) -> None:
    for _ in range(6):
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.insecure_channel(server.address, options=options) as channel:
            request = health_pb2.HealthCheckRequest(service=SERVICE)
            answer = await health_pb2_grpc.HealthStub(channel).Check(request)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("order", ["SIGTERM to the supervisor", "Ctrl-C to everybody"])
async def test_an_order_to_stop_lets_open_streams_end(tiny_bundle: Path, order: str) -> None:
    with workers_serving(tiny_bundle, "--grace", "8") as server:
        async with AsyncExitStack() as stack:
            events: list[pb.Event] = []
            streams = [await stack.enter_async_context(opened(server.address, events)) for _ in range(4)]
            if order.startswith("Ctrl-C"):
                os.killpg(server.process.pid, signal.SIGINT)
            else:
                server.process.terminate()
            async with asyncio.timeout(PATIENCE_S):
                frames = await asyncio.gather(*(frames_of(stream, 1.0) for stream in streams))
        assert frames == [list(range(30))] * 4
        assert sum(event.HasField("draining") for event in events) == 4
        assert server.wait() == (0, "")
        assert server.said == "stopped\n"


async def test_a_second_order_stops_at_once(tiny_bundle: Path) -> None:
    with workers_serving(tiny_bundle, "--grace", "100000") as server:
        async with opened(server.address) as stream, asyncio.timeout(PATIENCE_S):
            server.process.terminate()
            while len(server.workers()) > 1:  # the one without streams ends, the other one waits
                await asyncio.sleep(0.05)
            server.process.terminate()
            with pytest.raises(LiveTalkerError):
                await anext(aiter(stream))
        assert server.wait() == (0, "")


async def test_a_worker_that_is_killed_comes_back_and_its_places_too(tiny_bundle: Path) -> None:
    with workers_serving(tiny_bundle, "--max-streams", str(LIMIT), "--grace", "0") as server:
        before = server.workers()
        async with AsyncExitStack() as stack:
            await held(stack, server.address, LIMIT)
            for worker in before:  # so that nobody who held a place is left
                worker.kill()
            psutil.wait_procs(before, timeout=PATIENCE_S)
            async with AsyncExitStack() as again:
                streams = await held(again, server.address, LIMIT)
                assert await frames_of(streams[0], 0.5) == list(range(15))
        async with asyncio.timeout(PATIENCE_S):
            while len(server.workers()) < 2:
                await asyncio.sleep(0.05)
        assert not {worker.pid for worker in before} & {worker.pid for worker in server.workers()}
        server.process.terminate()
        status, errors = server.wait()
    assert status == 0
    assert "worker 0 ended (killed by SIGKILL); it is started again in " in errors
    assert "worker 1 ended (killed by SIGKILL); it is started again in " in errors


def test_workers_do_not_outlive_their_supervisor(tiny_bundle: Path) -> None:
    with workers_serving(tiny_bundle, "--grace", "0") as server:
        workers = server.workers()
        server.process.kill()
        _, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
        assert alive == []


def test_a_busy_port_is_an_expected_error(
    server: Running, tiny_bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    port = server.address.rpartition(":")[2]
    assert main(["serve", "--workers", "2", "--port", port, "--model", str(tiny_bundle)]) == 1
    shown = capfd.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert "another program does already" in shown.err


def test_a_bad_model_is_an_expected_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--workers", "2", "--port", "0", "--model", str(tmp_path)]) == 1
    shown = capfd.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith("livetalker: ") and "is no model bundle" in shown.err


def test_the_benchmark_passes_workers_on(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--streams", "3", "--seconds", "1", "--workers", "2", "--threads", "1", "--backend", "cpu"]
    assert main(["bench", *options, "--model", str(tiny_bundle)]) == 0
    assert "0 of 90 frames missing" in capsys.readouterr().out
