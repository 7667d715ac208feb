"""A pool of workers for the tasks that a Rust program hands out. The twin of manager_python_workers.rs, which runs it.

Run: HILOS_AUTHKEY=KEY python3 examples/python/manager_python_workers.py HOST:PORT WORKERS
"""

import multiprocessing
import os
import sys
from multiprocessing.managers import BaseManager


class QueueManager(BaseManager):
    pass


QueueManager.register('get_tasks')
QueueManager.register('get_results')


def work(address):
    """Factors the numbers that come until `None` does; returns how many they were."""
    manager = QueueManager(address, os.environ['HILOS_AUTHKEY'].encode())
    manager.connect()
    tasks, results = manager.get_tasks(), manager.get_results()
    done = 0
    for n in iter(tasks.get, None):
        results.put((n, factors(n)))
        done += 1
    return done


def factors(n):
    found, divisor = [], 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            found.append(divisor)
            n //= divisor
        divisor += 1
    return found + [n] if n > 1 else found


if __name__ == '__main__':
    host, port = sys.argv[1].rsplit(':', 1)
    workers = int(sys.argv[2])
    with multiprocessing.Pool(workers) as pool:
        # One each: a worker takes the next number as soon as it can.
        done = pool.map(work, [(host, int(port))] * workers, chunksize=1)
    print(sum(done), 'numbers factored by', workers, 'workers')
