"""The work of benches/cluster.rs by Celery, where it and a redis-server are there."""

import pathlib
import shutil
import socket
import subprocess
import sys
import time

from measure import report

try:
    from celery import Celery, group
except ImportError:
    sys.exit(0)

TASKS = 10_000


def application(port):
    url = f"redis://127.0.0.1:{port}/0"
    return Celery("cluster", broker=url, backend=url)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# A worker imports this file with the port as an argument of its own.
port = int(sys.argv[-1]) if sys.argv[-1].isdigit() else free_port()
app = application(port)


@app.task
def square(x):
    return x * x


def measure(turns):
    began = time.perf_counter()
    for _ in range(turns):
        results = group(square.s(x) for x in range(TASKS)).apply_async()
        assert len(results.get()) == TASKS
    return time.perf_counter() - began


def main():
    server = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--save", "", "--port", str(port)],
        stdout=subprocess.DEVNULL,
    )
    command = [sys.executable, pathlib.Path(__file__), "worker", str(port)]
    workers = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in "12"]
    try:
        square.delay(1).get(timeout=60)
        report("cluster_tiny_10000_chunksize_1", measure, "Celery")
    finally:
        for process in (*workers, server):
            process.kill()


if __name__ == "__main__":
    if "worker" in sys.argv:
        name = f"worker-{time.time_ns()}@localhost"
        app.worker_main(["worker", "--concurrency=1", "--loglevel=ERROR", f"--hostname={name}"])
    elif shutil.which("redis-server"):
        main()
