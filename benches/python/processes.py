"""The work of benches/processes.rs in CPython."""

import multiprocessing
import time

from measure import alone, report

LARGE = 1 << 20


def nothing():
    pass


def start_join(method):
    context = multiprocessing.get_context(method)

    def work(turns):
        for _ in range(turns):
            process = context.Process(target=nothing)
            process.start()
            process.join()

    return alone(work)


def echo(connection):
    while True:
        connection.send_bytes(connection.recv_bytes())


def send(connection):
    data = bytes(LARGE)
    while True:
        for _ in range(connection.recv()):
            connection.send_bytes(data)


def connect(target):
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=target, args=(theirs,), daemon=True).start()
    return ours


def round_trip():
    connection = connect(echo)

    def work(turns):
        for _ in range(turns):
            connection.send_bytes(b"7" * 8)
            connection.recv_bytes()

    return alone(work)


def one_way():
    connection = connect(send)

    def run(turns):
        connection.send(turns)
        begin = time.perf_counter()
        for _ in range(turns):
            connection.recv_bytes()
        return time.perf_counter() - begin

    return run


if __name__ == "__main__":
    for method in "fork", "spawn", "forkserver":
        report(f"process_start_join_{method}", start_join(method))
    report("pipe_round_trip_8", round_trip())
    report("pipe_one_way_1_mib", one_way())
