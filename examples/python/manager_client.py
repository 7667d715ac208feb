"""Hands out tasks and collects results. The other side of manager_client.rs, which runs it.

Run: HILOS_AUTHKEY=KEY python3 examples/python/manager_client.py
"""

import os
import queue
import sys
import threading
from multiprocessing.managers import BaseManager

TASKS = 5
tasks, results = queue.Queue(), queue.Queue()


class QueueManager(BaseManager):
    pass


QueueManager.register('get_tasks', callable=lambda: tasks)
QueueManager.register('get_results', callable=lambda: results)


if __name__ == '__main__':
    manager = QueueManager(address=('127.0.0.1', 0), authkey=os.environ['HILOS_AUTHKEY'].encode())
    server = manager.get_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.address
    print(f'{host}:{port}', flush=True)
    for number in range(TASKS):
        tasks.put(number)
    tasks.put(None)
    got = dict(results.get(timeout=60) for _ in range(TASKS))
    print('Python has got', got)
    # The worker may still wait for the answer to its last call.
    sys.stdin.read()
