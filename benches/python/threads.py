"""The work of benches/threads.rs in CPython."""

from threading import Thread, Timer

from measure import alone, report


def start_join(turns):
    for _ in range(turns):
        thread = Thread(target=lambda: None)
        thread.start()
        thread.join()


def timers_10000_pending(turns):
    for _ in range(turns):
        timers = [Timer(3600, lambda: None) for _ in range(10_000)]
        for timer in timers:
            timer.start()
        for timer in timers:
            timer.cancel()
        for timer in timers:
            timer.join()


report("thread_start_join", alone(start_join))
report("timers_10000_pending", alone(timers_10000_pending))
