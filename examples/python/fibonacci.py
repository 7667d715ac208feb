"""C5: work for the processor, in turn and in two threads. The twin of threading_fibonacci.rs.

Run: python3 examples/python/fibonacci.py [N]
"""

import sys
import threading
import time


def print_fib(numero: int) -> None:
    def fib(n: int) -> int:
        if n == 1:
            return 0
        elif n == 2:
            return 1
        else:
            return fib(n - 1) + fib(n - 2)

    print(f'fib({numero}) is {fib(numero)}', flush=True)


def fibs_no_threading(n):
    print_fib(n)
    print_fib(n + 1)


def fibs_con_threads(n):
    thread_40 = threading.Thread(target=print_fib, args=(n,))
    thread_41 = threading.Thread(target=print_fib, args=(n + 1,))

    thread_40.start()
    thread_41.start()

    thread_40.join()
    thread_41.join()


if __name__ == '__main__':
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 40

    inicio = time.perf_counter()
    fibs_no_threading(n)
    final = time.perf_counter()
    print(f'Completado en {final - inicio:.4f} segundos.', flush=True)

    inicio_threads = time.perf_counter()
    fibs_con_threads(n)
    fin_threads = time.perf_counter()
    print(f'Threads toman {fin_threads - inicio_threads:.4f} seconds.')
