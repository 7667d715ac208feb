"""The work of benches/managers.rs in CPython.

python managers.py WORK SERVER does some of it when it is told to, by a line with the number of turns, and prints the
seconds. SERVER is a manager's address, or the family of one for a manager of its own.
"""

import sys
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


def connected(server):
    if server in ("unix", "tcp"):
        manager = SyncManager(("127.0.0.1", 0) if server == "tcp" else None, AUTHKEY)
        manager.start()
    else:
        host, colon, port = server.rpartition(":")
        manager = SyncManager((host, int(port)) if colon else server, AUTHKEY)
        manager.connect()
    return manager


def obey(work):
    for line in sys.stdin:
        if line == "0\n":
            break
        print(alone(work)(int(line)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        name, server = sys.argv[1:]
        manager = connected(server)
        obey(globals()[name](manager))
    else:
        manager = connected("unix")
        for work in dict_get, dict_set, queue_put_get:
            report(f"manager_{work.__name__}", alone(work(manager)))
