"""Runs the fuzzer's programs on CPython: one a line on the standard input, as JSON; out come their traces.

A program is translated into Python and executed, so that no interpreter stands between it and asyncio.
A line that begins with a question mark is answered by the translation instead of the trace.
"""

import ast
import asyncio
import contextvars
import gc
import inspect
import itertools
import json
import sys
import warnings

from translate import Translator

# What has to be the same on both sides: how many objects of each kind every program has.
SLOTS, PLAIN, LOCKS = 13, 3, 2
WATCHDOG, WATCHES = 1000, 30

# Messages whose time depends on the collector.
LATE = ("never retrieved", "was destroyed", "in shielded future")


class OrderedSet(dict):
    """A set in the order of insertion: CPython's own is in the order of addresses."""

    def __init__(self, items=()):
        super().__init__(dict.fromkeys(items))

    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)

    remove = dict.__delitem__


class SetsInOrder(ast.NodeTransformer):
    def visit_SetComp(self, node):
        generator = ast.GeneratorExp(node.elt, node.generators)
        return ast.Call(ast.Name("set", ast.Load()), [generator], [])


def make_deterministic():
    """Has asyncio use sets in order, and list its tasks in the order of their creation."""
    tasks = asyncio.tasks
    tasks.set = asyncio.taskgroups.set = OrderedSet
    for name in ("as_completed", "_AsCompletedIterator"):
        if function := getattr(tasks, name, None):
            tree = SetsInOrder().visit(ast.parse(inspect.getsource(function)))
            exec(compile(ast.fix_missing_locations(tree), tasks.__file__, "exec"), tasks.__dict__)
    asyncio.as_completed = tasks.as_completed
    all_tasks = tasks.all_tasks
    tasks.all_tasks = lambda loop=None: sorted(all_tasks(loop), key=lambda task: task.born)


class VirtualLoop(asyncio.base_events.BaseEventLoop):
    """A loop without input and output, whose time jumps to the next timer when nothing is ready."""

    eager = False

    def __init__(self):
        super().__init__()
        self._selector = self
        self._clock_resolution = 1e-9
        self._now = 0.0
        self._born = itertools.count()
        self.set_task_factory(VirtualLoop.make_task)

    def make_task(self, coroutine, **options):
        """Makes a task that knows how many there were before."""
        born = next(self._born)
        if self.eager:
            options.setdefault("eager_start", True)
        task = asyncio.Task(coroutine, loop=self, **options)
        task.born = born
        return task

    def time(self):
        return self._now

    def select(self, timeout):
        if timeout is None:
            raise SystemExit("nothing will ever happen in this program")
        if timeout > 0:
            self._now = self._scheduled[0]._when
        return ()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


class Item:
    """An item of a priority queue: several are equal."""

    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return self.value % 3 < other.value % 3


def text(value):
    if isinstance(value, BaseException):
        if isinstance(value, asyncio.InvalidStateError):
            return "InvalidStateError"
        if isinstance(value, BaseExceptionGroup):
            return f"{type(value).__name__}({value.message} {text(list(value.exceptions))})"
        # What follows is the repr of an object.
        return f"{type(value).__name__}({str(value).partition('<')[0]})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(text, value))}]"
    return str(value.value if isinstance(value, Item) else value)


class World:
    """What a program works with."""

    def __init__(self):
        self.trace = []
        self.unseen = []
        self.watches = 0
        self.x = [None] * SLOTS
        self.lock = [asyncio.Lock() for _ in range(LOCKS)]
        self.condition = [asyncio.Condition(self.lock[0]), asyncio.Condition()]
        self.callbacks = {}
        self.handle = {}

    def names(self):
        """The names that the translated program uses."""
        own = (
            "x lock condition handle say body item text_of seconds state outcome another add_callback remove_callback "
            "cancel_handle timers wait_in_order present"
        )
        names = {name: getattr(self, name) for name in own.split()}
        theirs = (
            "CancelledError all_tasks as_completed current_task gather shield sleep wait_for timeout TaskGroup"
        )
        names |= {name: getattr(asyncio, name) for name in theirs.split()}
        return names | {
            "event": [asyncio.Event() for _ in range(2)],
            "semaphore": [asyncio.Semaphore(1), asyncio.Semaphore(2), asyncio.BoundedSemaphore(1)],
            "barrier": [asyncio.Barrier(2), asyncio.Barrier(3)],
            "queue": [asyncio.Queue(1), asyncio.Queue(), asyncio.LifoQueue(2), asyncio.PriorityQueue(8)],
            "v": [0, 0],
            "var": contextvars.ContextVar("var"),
            "group": {},
            "limit": {},
            "loop": self.loop,
        }

    def say(self, i, *what):
        self.trace.append(" ".join([f"{self.loop.time() * 1e6:.0f}", str(i), *map(text, what)]))

    def body(self, i):
        """Makes the function of a coroutine say how it ends."""

        def decorate(function):
            async def coroutine():
                try:
                    value = await function()
                except BaseException as e:
                    self.say(i, "failed", e)
                    raise
                if value is None:
                    self.say(i, "end")
                return value or 0

            return coroutine

        return decorate

    def item(self, queue, value):
        return Item(value) if queue == 3 else value

    def text_of(self, number):
        return f"m{number}" if number else None

    def seconds(self, milliseconds):
        return None if milliseconds < 0 else milliseconds / 1000

    def state(self, f):
        if f is None:
            return "empty"
        return "cancelled" if f.cancelled() else "done" if f.done() else "pending"

    def outcome(self, f):
        return "cancelled" if f.cancelled() else f.exception() or f.result()

    def another(self, f):
        """A shield of what has a result: there the very same future, in Rust another, so that the result stays."""
        if not f.done() or f.cancelled() or f._exception is not None:
            return f
        other = self.loop.create_future()
        other.set_result(f.result())
        return other

    def add_callback(self, i, f, function):
        if f is None:
            return "empty"
        callback = lambda f: function()
        self.callbacks[i] = (f, callback)
        f.add_done_callback(callback)

    def remove_callback(self, i):
        if i not in self.callbacks:
            return "empty"
        f, callback = self.callbacks[i]
        return f.remove_done_callback(callback)

    def cancel_handle(self, i):
        if i not in self.handle:
            return "empty"
        self.handle[i].cancel()
        return self.handle[i].cancelled()

    def timers(self, i, count):
        handles = [self.loop.call_later(n * 7 % 5 / 1000, self.say, i, n) for n in range(count)]
        for n, handle in enumerate(handles):
            if n % 3:
                handle.cancel()

    def present(self, fs):
        return [f for f in fs if f is not None]

    async def wait_in_order(self, fs, limit, when):
        when = (asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED)[when]
        done, pending = await asyncio.wait(fs, timeout=limit, return_when=when)
        return [[n for n, f in enumerate(fs) if f in part] for part in (done, pending)]

    def handler(self, loop, context):
        message, exception = context["message"], context.get("exception")
        if any(words in message for words in LATE):
            self.unseen.append(f"{message}: {text(exception)}")
        else:
            self.say("handler", " ".join(message.partition("<")[0].split()[:3]), exception)

    def watchdog(self):
        """Ends what would wait for ever."""
        self.say("watchdog")
        self.watches += 1
        for lock in (self.lock[0], self.lock[1], self.condition[1]):
            if lock.locked():
                lock.release()
        for task in asyncio.tasks.all_tasks():
            task.cancel()
        if self.watches >= WATCHES:
            self.loop.stop()
        self.loop.call_later(WATCHDOG, self.watchdog)


def begin(world, names, eager):
    world.loop.set_exception_handler(world.handler)
    world.loop.call_later(WATCHDOG, world.watchdog)
    for n in range(PLAIN):
        world.x[n] = world.loop.create_future()
    world.loop.eager = bool(eager)


def run(program):
    eager, block = program
    code = compile(Translator().program(block), "program", "exec")
    world = World()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        world.loop = runner.get_loop()
        names = world.names()
        exec(code, names)
        begin(world, names, eager)
        try:
            world.say("main", runner.run(names["c0"]()))
        except BaseException as e:
            world.say("main", e)
        try:
            runner.close()
        except BaseException as e:
            world.say("close", e)
    for f in world.x:
        world.say("state", world.state(f))
    # What is collected may still say something.
    trace, unseen = list(world.trace), world.unseen
    abandoned = world.watches >= WATCHES or not all(f.done() for f in world.x[:PLAIN])
    del world, names, runner, f
    gc.collect()
    # What refers to a future that nobody has completed is never freed in Rust.
    return trace + sorted(unseen) + ["abandoned"] * abandoned


def main():
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda unraisable: None
    make_deterministic()
    gc.disable()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        if line.startswith("?"):
            _, block = json.loads(line[1:])
            lines = [Translator().program(block)]
        else:
            lines = run(json.loads(line))
        print("\n".join(lines), ".", sep="\n", flush=True)


if __name__ == "__main__":
    main()
