"""The work of benches/pool.rs in CPython."""

import multiprocessing

from measure import alone, report


def maps(pool, chunksize):
    def work(turns):
        for _ in range(turns):
            pool.map(abs, range(-10_000, 10_000), chunksize)

    return alone(work)


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        report("pool_map_abs_20000_chunksize_1", maps(pool, 1))
        report("pool_map_abs_20000_default", maps(pool, None))
