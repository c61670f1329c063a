"""The way from the engine's thread to the event loop: in order, and many outputs with one awakening."""

from __future__ import annotations

import asyncio
import threading

from livetalker.rpc.mailbox import Mailbox


async def test_what_was_posted_arrives_in_order_with_few_awakenings() -> None:
    loop = asyncio.get_running_loop()
    awakenings = 0
    awaken = loop.call_soon_threadsafe

    def counted(*call: object) -> object:
        nonlocal awakenings
        awakenings += 1
        return awaken(*call)  # type: ignore[arg-type]

    loop.call_soon_threadsafe = counted  # type: ignore[method-assign, assignment]
    mailbox = Mailbox[int](loop)
    seen: list[tuple[str, int]] = []
    done = asyncio.Event()

    def post() -> None:
        for number in range(1000):
            mailbox.post(lambda item: seen.append(("a", item)), number)
            mailbox.post(lambda item: seen.append(("b", item)), number)
        mailbox.post(lambda item: done.set(), 0)

    thread = threading.Thread(target=post)
    thread.start()
    thread.join()  # the loop cannot run meanwhile: all of it waits
    await asyncio.wait_for(done.wait(), 5)
    assert seen == [(name, number) for number in range(1000) for name in "ab"]
    assert awakenings == 1


def test_posting_to_a_closed_loop_is_nothing() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    Mailbox[int](loop).post(lambda item: None, 1)
