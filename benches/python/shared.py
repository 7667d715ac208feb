"""The work of benches/shared.rs in CPython."""

import multiprocessing
import time

from measure import alone, report


def use_lock(lock):
    def work(turns):
        acquire, release = lock.acquire, lock.release
        for _ in range(turns):
            acquire()
            release()

    return alone(work)


def add(value):
    def work(turns):
        for _ in range(turns):
            with value.get_lock():
                value.value += 1

    return alone(work)


def put(orders, items):
    while turns := orders.get():
        for item in range(turns):
            items.put(item)


def queue():
    orders, items = multiprocessing.Queue(), multiprocessing.Queue()
    multiprocessing.Process(target=put, args=(orders, items), daemon=True).start()

    def run(turns):
        orders.put(turns)
        begin = time.perf_counter()
        for _ in range(turns):
            items.get()
        return time.perf_counter() - begin

    return run


if __name__ == "__main__":
    report("process_lock_uncontended", use_lock(multiprocessing.Lock()))
    report("process_value_add", add(multiprocessing.Value("Q", 0)))
    report("process_queue_one_way", queue())
