"""The work of benches/locks.rs in CPython."""

from threading import Barrier, Condition, Event, Lock, RLock, Semaphore

from measure import alone, report, team


def acquire_release(lock):
    acquire, release = lock.acquire, lock.release

    def work(turns):
        for _ in range(turns):
            acquire()
            release()

    return alone(work)


def nested_3(lock):
    acquire, release = lock.acquire, lock.release

    def work(turns):
        for _ in range(turns):
            acquire()
            acquire()
            acquire()
            release()
            release()
            release()

    return alone(work)


def contended(threads):
    lock = Lock()
    count = 0

    def work(_, turns):
        nonlocal count
        for _ in range(turns):
            with lock:
                count += 1
            for _ in range(30):
                pass

    return team(threads, work)


def ping_pong(pair, set, wait):
    def work(member, turns):
        for _ in range(turns):
            if member == 0:
                set(pair[1])
                wait(pair[0])
            else:
                wait(pair[1])
                set(pair[0])

    return team(2, work)


def wait_and_clear(event):
    event.wait()
    event.clear()


def condition_ping_pong():
    condition = Condition()
    holder = 0

    def work(member, turns):
        nonlocal holder
        for _ in range(turns):
            with condition:
                condition.wait_for(lambda: holder == member)
                holder = 1 - member
                condition.notify()

    return team(2, work)


def barrier_4():
    barrier = Barrier(4)

    def work(_, turns):
        for _ in range(turns):
            barrier.wait()

    return team(4, work)


report("lock_uncontended", acquire_release(Lock()))
report("rlock_uncontended", acquire_release(RLock()))
report("rlock_nested_3", nested_3(RLock()))
report("lock_contended_2", contended(2))
report("lock_contended_8", contended(8))
report("event_ping_pong", ping_pong([Event(), Event()], Event.set, wait_and_clear))
report("semaphore_uncontended", acquire_release(Semaphore()))
report("semaphore_ping_pong", ping_pong([Semaphore(0), Semaphore(0)], Semaphore.release, Semaphore.acquire))
report("condition_ping_pong", condition_ping_pong())
report("barrier_4", barrier_4())
