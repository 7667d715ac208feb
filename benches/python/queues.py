"""The work of benches/queues.rs in CPython."""

from queue import Queue, SimpleQueue

from measure import report, team


def traffic(queue, pairs):
    put, get = queue.put, queue.get

    def work(member, turns):
        if member < pairs:
            for item in range(turns):
                put(item)
        else:
            for _ in range(turns):
                get()

    return team(2 * pairs, work)


for pairs in 1, 4:
    report(f"simple_queue_{pairs}_{pairs}", traffic(SimpleQueue(), pairs))
for pairs in 1, 4:
    report(f"queue_{pairs}_{pairs}_unbounded", traffic(Queue(), pairs))
    report(f"queue_{pairs}_{pairs}_1024", traffic(Queue(1024), pairs))
