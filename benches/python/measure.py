"""The median time of one turn of some work, in the way of the Rust benchmarks beside it."""

import statistics
import sys
import threading
import time

SAMPLES = 10
SECONDS = 0.08  # a sample


def find_uvloop():
    """The module uvloop, or `None` where this Python has none."""
    try:
        import uvloop
    except ImportError:
        print(f"{sys.executable} has no uvloop, which is not measured", file=sys.stderr)
        return None
    return uvloop


def report(group, run, rival=None):
    """Prints a group's name and the nanoseconds of a turn; `run(turns)` returns the seconds of so many.

    What takes more than a second is measured once. `rival` is what runs the work, if not CPython alone.
    """
    turns = 1
    while (seconds := run(turns)) < SECONDS / 4:
        turns *= 2
    if seconds > 1:
        times = [seconds / turns]
    else:
        turns = max(1, round(turns * SECONDS / seconds))
        times = [run(turns) / turns for _ in range(SAMPLES)]
    columns = [group, f"{statistics.median(times) * 1e9:.1f}", *([rival] if rival else [])]
    print(*columns, sep="\t", flush=True)


def alone(work):
    """Calls `work(turns)` in this thread."""

    def run(turns):
        begin = time.perf_counter()
        work(turns)
        return time.perf_counter() - begin

    return run


def team(size, work):
    """Calls `work(number, turns)` in so many threads at once; their start is not measured."""

    def run(turns):
        times = []
        meeting = threading.Barrier(size)

        def member(number):
            meeting.wait()
            begin = time.perf_counter()
            work(number, turns)
            times.append((begin, time.perf_counter()))

        members = [threading.Thread(target=member, args=(number,)) for number in range(size)]
        for thread in members:
            thread.start()
        for thread in members:
            thread.join()
        return max(end for _, end in times) - min(begin for begin, _ in times)

    return run
