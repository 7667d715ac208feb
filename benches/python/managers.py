"""The work of benches/managers.rs in CPython.

python managers.py WORK SERVER [PID] does some of it when it is told to, by a line with the number of turns, and prints the
seconds. SERVER is a manager's address, or the family of one for a manager of its own; PID is the manager's process.
Calls are measured in the processor time of both processes, the making of objects in time that passes.
"""

import sys
import time
from multiprocessing.managers import SyncManager

from measure import alone, report

AUTHKEY = b"benchmark"


def dict_get(manager):
    shared = manager.dict(key=1000)

    def work(turns):
        for _ in range(turns):
            shared["key"]

    return work


def dict_set(manager):
    shared = manager.dict()

    def work(turns):
        for _ in range(turns):
            shared["key"] = 1000

    return work


def queue_put_get(manager):
    queue = manager.Queue()

    def work(turns):
        for _ in range(turns):
            queue.put(1000)
            queue.get()

    return work


def create(manager):
    def work(turns):
        for _ in range(turns):
            manager.dict()

    return work


def processor_time(pid):
    # The system's number of the clock of a process.
    return time.process_time() + time.clock_gettime(~pid << 3 | 2)


def both(work, pid):
    """Calls `work(turns)` in this thread; the processor time of this process and the server's."""

    def run(turns):
        begin = processor_time(pid)
        work(turns)
        return processor_time(pid) - begin

    return run


def connected(server):
    if server in ("unix", "tcp"):
        manager = SyncManager(("127.0.0.1", 0) if server == "tcp" else None, AUTHKEY)
        manager.start()
    else:
        host, colon, port = server.rpartition(":")
        manager = SyncManager((host, int(port)) if colon else server, AUTHKEY)
        manager.connect()
    return manager


def obey(run):
    for line in sys.stdin:
        if line == "0\n":
            break
        print(run(int(line)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        name, server, *pid = sys.argv[1:]
        manager = connected(server)
        work = globals()[name](manager)
        pid = int(pid[0]) if pid else manager._process.pid
        obey(alone(work) if name == "create" else both(work, pid))
    else:
        manager = connected("unix")
        for work in dict_get, dict_set, queue_put_get:
            report(f"manager_{work.__name__}", both(work(manager), manager._process.pid))
