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


# The simple operations. The numbers of one are {0}, {1} and so on, its blocks {a} and {b} as functions; {i} is its id.
SIMPLE = {
    "sleep": "await sleep({0} / 1000); say({i})",
    "await": "say({i}, await x[{0}] if x[{0}] else 'empty')",
    "acquire": "await lock[{0}].acquire(); say({i})",
    "release": "lock[{0}].release(); say({i})",
    "event_wait": "await event[{0}].wait(); say({i})",
    "event_set": "event[{0}].set(); say({i})",
    "event_clear": "event[{0}].clear(); say({i})",
    "cond_wait": "await condition[{0}].wait(); say({i})",
    "cond_wait_for": "await condition[{0}].wait_for(lambda: v[{1}] >= {2}); say({i}, v[{1}])",
    "notify": "condition[{0}].notify({1}); say({i})",
    "notify_all": "condition[{0}].notify_all(); say({i})",
    "sem_acquire": "await semaphore[{0}].acquire(); say({i})",
    "sem_release": "semaphore[{0}].release(); say({i})",
    "barrier_wait": "say({i}, await barrier[{0}].wait())",
    "barrier_reset": "await barrier[{0}].reset(); say({i})",
    "barrier_abort": "await barrier[{0}].abort(); say({i})",
    "put": "await queue[{0}].put(item({0}, {1})); say({i})",
    "get": "say({i}, await queue[{0}].get())",
    "put_nowait": "queue[{0}].put_nowait(item({0}, {1})); say({i})",
    "get_nowait": "say({i}, queue[{0}].get_nowait())",
    "task_done": "queue[{0}].task_done(); say({i})",
    "join": "await queue[{0}].join(); say({i})",
    "shutdown": "queue[{0}].shutdown(immediate={1} > 0); say({i})",
    "bump": "v[{0}] += 1; say({i}, v[{0}])",
    "set_var": "var.set({0}); say({i})",
    "get_var": "say({i}, var.get(0))",
    "tasks": "say({i}, len(all_tasks()))",
    "spawn": "x[{0}] = loop.create_task({a}()); say({i})",
    "spawn_eager": "x[{0}] = loop.make_task({a}(), eager_start=True); say({i})",
    "group_spawn": "if {0} in group: x[{1}] = group[{0}].create_task({a}()); say({i})",
    "cancel": "say({i}, x[{0}].cancel(text_of({1})) if x[{0}] else 'empty')",
    "uncancel": "say({i}, current_task().uncancel())",
    "cancelling": "say({i}, (t := current_task()) and t.cancelling())",
    "state": "say({i}, state(x[{0}]))",
    "result": "say({i}, x[{0}].result() if x[{0}] else 'empty')",
    "exception": "say({i}, x[{0}].exception() if x[{0}] else 'empty')",
    "set_result": "x[{0}].set_result({1}); say({i})",
    "settle": "x[{0}].done() or x[{0}].set_result(0); say({i})",
    "set_exception": "x[{0}].set_exception(ValueError('e{i}')); say({i})",
    "add_callback": "say({i}, add_callback({i}, x[{0}], {a}))",
    "remove_callback": "say({i}, remove_callback({0}))",
    "call_soon": "handle[{i}] = loop.call_soon({a}); say({i})",
    "call_later": "handle[{i}] = loop.call_later({0} / 1000, {a}); say({i})",
    "call_at": "handle[{i}] = loop.call_at({0} / 1000, {a}); say({i})",
    "cancel_handle": "say({i}, cancel_handle({0}))",
    "timers": "timers({i}, {0}); say({i})",
    "reschedule": "if {0} in limit: limit[{0}].reschedule(loop.time() + {1} / 1000); say({i})",
    "start_gather": "x[{0}] = gather(*{args}, return_exceptions={1} > 0); say({i})",
    "gather": "say({i}, await gather(*{args}, return_exceptions={0} > 0))",
    "start_shield": "if {there}: x[{0}] = shield({arg}); say({i})",
    "shield": "say({i}, await shield({arg}) if {there} else 'empty')",
    "wait": "say({i}, await wait_in_order({args}, seconds({0}), {1}))",
    "wait_for": "say({i}, await wait_for({arg}, seconds({0})) if {there} else 'empty')",
    "raise": "say({i}); raise {error}",
    "return": "say({i}); return {0}",
}
ERRORS = ("ValueError('e{i}')", "RuntimeError('e{i}')", "TimeoutError('e{i}')", "CancelledError()", "SystemExit({i})")

# Those that have a block inside: what precedes it, and what follows.
WITHIN = {
    "lock": ("async with lock[{0}]:", "say({i}, 'out')"),
    "condition": ("async with condition[{0}]:", "say({i}, 'out')"),
    "semaphore": ("async with semaphore[{0}]:", "say({i}, 'out')"),
    "group": ("async with TaskGroup() as group[{i}]:", "say({i}, 'out')"),
    "timeout": ("async with timeout(seconds({0})) as limit[{i}]:", "say({i}, limit[{i}].expired())"),
    "repeat": ("for _ in range({0}):", "say({i}, 'out')"),
}
EXCEPTIONS = ("CancelledError", "ValueError", "TimeoutError", "Exception", "BaseException")


class Translator:
    """Makes a Python program of operations: each is a list of its id, its name, its numbers and its blocks."""

    def __init__(self):
        self.functions = []

    def function(self, kind, name, block):
        """Defines a coroutine or a callback, and returns its name."""
        lines = []
        if kind == "def":
            lines += self.block(block, 1)
        else:
            own = name[1:]
            lines += [" try:", *self.block(block, 2), f"  say({own}, 'end')", "  return 0"]
            lines += [" except BaseException as e:", f"  say({own}, 'failed', e)", "  raise"]
        self.functions += [f"{kind} {name}():", *lines]
        return name

    def block(self, block, depth):
        lines = [line for operation in block for line in self.operation(operation, depth)]
        return lines or [" " * depth + "pass"]

    def argument(self, operation):
        i, name, numbers, blocks = operation
        if name == "ref":
            return f"x[{numbers[0]}]"
        return self.function("async def", f"c{i}", blocks[0]) + "()"

    def arguments(self, operations):
        """The arguments that are there: a slot may be empty."""
        return f"present([{', '.join(map(self.argument, operations))}])"

    def operation(self, operation, depth):
        i, name, numbers, blocks = operation
        pad = " " * depth
        if name == "try":
            return self.try_(operation, pad, depth)
        if name == "as_completed":
            return self.as_completed(operation, pad)
        if name in WITHIN:
            before, after = (part.format(*numbers, i=i) for part in WITHIN[name])
            return [pad + before, f"{pad} say({i}, 'in')", *self.block(blocks[0], depth + 1), pad + after]
        names = {"i": i}
        if name in ("spawn", "spawn_eager", "group_spawn"):
            names["a"] = self.function("async def", f"c{i}", blocks[0])
        elif name in ("gather", "start_gather", "wait"):
            names["args"] = self.arguments(blocks[0])
        elif name in ("shield", "start_shield", "wait_for"):
            names["arg"] = self.argument(blocks[0][0])
            names["there"] = "True" if names["arg"].startswith("c") else names["arg"]
        elif blocks:
            names["a"] = self.function("def", f"k{i}", blocks[0])
        elif name == "raise":
            names["error"] = ERRORS[numbers[0]].format(i=i)
        return [pad + SIMPLE[name].format(*numbers, **names)]

    def try_(self, operation, pad, depth):
        i, _, (kind, reraises), (body, handler, final) = operation
        return [
            f"{pad}try:",
            f"{pad} try:",
            *self.block(body, depth + 2),
            f"{pad} except {EXCEPTIONS[kind]} as e:",
            f"{pad}  say({i}, 'caught', e, current_task().cancelling())",
            *self.block(handler, depth + 2),
            *([f"{pad}  raise"] if reraises else []),
            f"{pad}finally:",
            f"{pad} say({i}, 'finally')",
            *self.block(final, depth + 1),
        ]

    def as_completed(self, operation, pad):
        i, _, (asynchronous, limit), (arguments,) = operation
        arguments = self.arguments(arguments)
        if asynchronous:
            head, body = "async for", f"say({i}, outcome(f))"
        else:
            head, body = "for", f"say({i}, await f)"
        lines = [f"{head} f in as_completed({arguments}, timeout=seconds({limit})):", f" {body}", f"say({i}, 'out')"]
        return [pad + line for line in lines]

    def program(self, block):
        self.function("async def", "c0", block)
        return "\n".join(self.functions)


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
            "x lock condition handle say item text_of seconds state outcome add_callback remove_callback "
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
