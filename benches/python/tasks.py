"""The work of benches/asyncio.rs in CPython, and in uvloop where it is installed; the times are the processor's."""

import asyncio
import time

from measure import find_uvloop, report

uvloop = find_uvloop()


def measured(loop_factory, main):
    """Calls `main(turns)` in a loop that runs already."""

    async def run(turns):
        begin = time.process_time()
        await main(turns)
        return time.process_time() - begin

    def with_runner(turns):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(run(turns))

    return with_runner


async def value(n):
    return n


async def spawn_await(turns):
    for turn in range(turns):
        await asyncio.create_task(value(turn))


async def gather(turns):
    for _ in range(turns):
        await asyncio.gather(*map(value, range(1000)))


async def pair(one, other):
    one, other = asyncio.create_task(one), asyncio.create_task(other)
    await one
    await other


async def sleep_0(turns):
    async def player():
        for _ in range(-(-turns // 2)):
            await asyncio.sleep(0)

    await pair(player(), player())


async def sleeps(turns):
    def delay(number):
        return 1e-6 * (100_000 + number * 54_321 % 100_000)

    for _ in range(turns):
        tasks = [asyncio.create_task(asyncio.sleep(delay(number))) for number in range(100_000)]
        for task in tasks:
            await task


async def future_hand_over(turns):
    loop = asyncio.get_running_loop()
    place = None

    async def player():
        nonlocal place
        for turn in range(-(-turns // 2)):
            theirs, place = place, loop.create_future()
            mine = place
            if theirs:
                theirs.set_result(turn)
            await mine
        if place:
            theirs, place = place, None
            theirs.set_result(turns)

    await pair(player(), player())


def queue(maxsize):
    async def traffic(turns):
        queue = asyncio.Queue(maxsize)

        async def putter():
            for item in range(turns):
                await queue.put(item)

        async def getter():
            for _ in range(turns):
                await queue.get()

        await pair(putter(), getter())

    return traffic


async def to_thread(turns):
    def nothing(turn):
        return turn

    for turn in range(turns):
        await asyncio.to_thread(nothing, turn)


WORK = {
    "spawn_await": spawn_await,
    "gather_1000": gather,
    "sleep_0": sleep_0,
    "sleeps_100000": sleeps,
    "future_hand_over": future_hand_over,
    "queue_100": queue(100),
    "queue_1": queue(1),
    "to_thread": to_thread,
}

for name, main in WORK.items():
    report(f"asyncio_{name}", measured(asyncio.SelectorEventLoop, main))
    if uvloop:
        report(f"asyncio_{name}", measured(uvloop.new_event_loop, main), "uvloop")
