"""The work of benches/processes.rs in CPython."""

import multiprocessing

from measure import alone, report


def nothing():
    pass


def start_and_join(method):
    Process = multiprocessing.get_context(method).Process

    def work(turns):
        for _ in range(turns):
            process = Process(target=nothing)
            process.start()
            process.join()

    return alone(work)


if __name__ == "__main__":
    for method in "forkserver", "spawn", "fork":
        report(f"process_{method}", start_and_join(method))
