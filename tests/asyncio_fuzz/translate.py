"""Translates the fuzzer's programs into Python."""

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
    "start_shield": "if {there}: x[{0}] = another(shield({arg})); say({i})",
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
        lines = self.block(block, 1)
        decorator = [f"@body({name[1:]})"] if kind == "async def" else []
        self.functions += [*decorator, f"{kind} {name}():", *lines]
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
        inner = pad + " " if final else pad
        lines = [
            f"{inner}try:",
            *self.block(body, len(inner) + 1),
            f"{inner}except {EXCEPTIONS[kind]} as e:",
            f"{inner} say({i}, 'caught', e, current_task().cancelling())",
            *(self.block(handler, len(inner) + 1) if handler else ()),
            *([f"{inner} raise"] if reraises else ()),
        ]
        if final:
            lines = [f"{pad}try:", *lines, f"{pad}finally:", f"{pad} say({i}, 'finally')", *self.block(final, depth + 1)]
        return lines

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
