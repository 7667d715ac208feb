"""Squares the numbers that a Rust program shares. The twin of shared_memory_with_python.rs, which runs it.

Run: python3 examples/python/shared_memory_with_python.py NAME
"""

import sys
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import ShareableList, SharedMemory

try:
    import numpy
except ImportError:
    numpy = None


def leave(shm):
    """Has this program not unlink what is the other's: `track=False`, which Python has from 3.13 on."""
    resource_tracker.unregister(shm._name, 'shared_memory')
    return shm


def square(shm, n):
    if numpy is not None:
        numbers = numpy.ndarray((n,), dtype=numpy.float64, buffer=shm.buf)
        numbers *= numbers
    else:
        numbers = shm.buf[:8 * n].cast('d')
        for i in range(n):
            numbers[i] *= numbers[i]
        numbers.release()


about = ShareableList(name=sys.argv[1])
leave(about.shm)
name, n, _ = about
shm = leave(SharedMemory(name))
square(shm, n)
about[-1] = 'done'
print(f'{n} numbers squared with {"NumPy" if numpy else "a memoryview"}')
