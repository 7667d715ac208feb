"""Python's side of the tests: what it makes of many values, and `check`, which reads what hilos wrote."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import math
import operator
import pathlib
import pickle
import random
import struct
import sys
import unicodedata
import uuid


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    class Inner:
        pass


class Slotted:
    __slots__ = ("a", "b")


class Color(enum.Enum):
    RED = 1
    GREEN = "g"


class Keyword:
    def __new__(cls, *, size):
        self = super().__new__(cls)
        self.size = size
        return self

    def __getnewargs_ex__(self):
        return (), {"size": self.size}


def set_state(instance, state):
    instance.state = state


class WithSetter:
    def __reduce__(self):
        return WithSetter, (), {"a": [self]}, iter([1]), None, set_state

    def append(self, item):
        pass


def plain():
    """Values that hilos prints as Python does."""
    yield from [None, True, False, 0, 1, -1, 255, 256, 65535, 65536, -128, -129, -32769]
    for bits in 31, 32, 63, 64, 65, 127, 128, 255, 1000, 2039, 2040, 2048, 14000:
        for delta in -1, 0, 1:
            yield 2**bits + delta
            yield -(2**bits) + delta
    yield from [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 123456789012345680.0, 1e22, 1e-4, 1e-5, 5e-324, 1.7976931348623157e308]
    yield from [math.inf, -math.inf, math.nan, 1 / 3, 2.5, -1e100, 0.0001, 0.00012345, 9007199254740993.0]
    yield from ["", "a", "año", "日本", "\U0001f600", "it's", 'say "x"', "both ' and \"", "\\ \n\r\t\0\x1b\x7f\x80\xa0\xad"]
    yield from ["\ud800", "\udfff x", "\ud83d\ude00", "e\u0301", "\u200b\u2028\ufeff", "x" * 255, "x" * 256, "é" * 128]
    yield from [b"", b"a", bytes(range(256)), b"it's", b"'\"", b"x" * 255, b"x" * 256]
    yield from [bytearray(), bytearray(b"a'b"), bytearray(300)]
    yield from [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((),), ([],), [], [1], [1, 2], [[]], {}, {1: 2}, {"a": {}}]
    yield from [{1: "one", 1.5: 2, "a": None, (1, "b"): [], b"x": b"y", None: True}]
    yield from [set(), {1}, {"a"}, frozenset(), frozenset([1]), {frozenset(["x"])}, (frozenset(),)]
    for size in 999, 1000, 1001, 2000, 2001:
        yield list(range(size))
        yield dict.fromkeys(range(size))
        yield tuple(range(size))
        yield [[item] for item in range(size)][:1001]
    shared = ["shared"]
    yield [shared, shared, (shared, "shared", shared[0])]
    loop = []
    loop.append(loop)
    yield loop
    loop = [1]
    loop.append((loop, {"loop": loop}))
    yield loop
    loop = {}
    loop["self"] = loop
    yield loop
    inner = []
    loop = (1, inner)
    inner.append(loop)
    yield loop
    inner = []
    loop = (1, 2, 3, 4, inner)
    inner.append(loop)
    yield loop
    yield ["x" * 65536, "y" * 65535, b"z" * 70000, "end"]
    yield ["word %d" % number for number in range(8000)]
    yield {"key %d" % number: ["v" * (number % 300), number] for number in range(700)}
    shared = ["shared"]
    deep = shared
    for level in range(130):
        around = [deep], [level, deep, shared], (deep,), (level, deep, shared, level), {level: deep}, {level: deep, -1: shared}
        deep = around[level % 6]
    yield deep


def odd():
    """Values of classes that hilos does not know, and sets, which have no order."""
    yield from [set(range(size)) for size in (2, 999, 1000, 1001)]
    yield frozenset(range(3000))
    yield from [Point(1, [2]), [Point, Point.Inner, Point.Inner()], Slotted(), Color.RED, [Color.RED, Color.GREEN, Color.RED]]
    slotted = Slotted()
    slotted.a = slotted
    yield slotted
    point = Point(None, None)
    point.x = [point]
    yield point
    yield from [collections.OrderedDict(a=1, b=2), collections.deque([1, 2, 3], 5), collections.deque(range(1001))]
    yield from [collections.OrderedDict.fromkeys(range(size)) for size in (0, 1, 1000, 1001)]
    yield from [collections.Counter("hello"), collections.defaultdict(list, {1: [2]}), collections.deque()]
    yield from [datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc), datetime.timedelta(1, 2, 3)]
    yield from [decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.PurePosixPath("/a/b")]
    yield from [1 + 2j, ..., NotImplemented, range(1, 10, 2), slice(1, None, -1), type(None), len, print, int, [int, str, int]]
    yield from [ValueError("bad", 1), KeyError("k"), OSError(2, "no such file", "name"), StopIteration(), IndexError]
    yield from [iter([1, 2]), reversed([1, 2]), map(len, ["a"]), zip([1], [2]), enumerate("ab"), functools.partial(int, "7", base=8)]
    yield from [array.array("i", [1, 2, 3]), array.array("d"), memoryview, io.BytesIO(b"abc"), "".join, [].append]
    yield from [collections.OrderedDict.fromkeys, datetime.datetime.now, dict(a=1).keys(), random.Random(5)]
    yield from [WithSetter(), [WithSetter()], bytearray(b"x" * 70000), [bytearray(b"1"), bytearray(b"2"), bytearray]]
    yield [b"bytes", b"more", bytes, {b"k": bytearray()}]
    deep = shared = Point(1, 2)
    for level in range(130):
        deque = collections.deque([deep, shared])
        around = Point(level, deep), deque, [deep], collections.OrderedDict([(level, deep)]), {(level, shared): deep}
        deep = around[level % 5]
    yield deep
    deep = shared = "innermost"
    for level in range(130):
        deep = frozenset([deep]) if level % 2 else (deep, shared, level, (level,))
    yield {deep: deep}
    class_ = Point
    yield {"classes": [class_, class_], "names": ["Point", "__main__"], "error": ValueError, "errors": [KeyError, OSError]}


def dumps(value, protocol):
    try:
        return pickle.dumps(value, protocol)
    except Exception:
        return None


def write_values():
    for kind, values in ("plain", plain()), ("odd", odd()):
        for value in values:
            for protocol in range(6):
                data = dumps(value, protocol)
                if data is not None:
                    shown = repr(value) if kind == "plain" else ""
                    print(kind, protocol, data.hex(), shown.encode("utf-8", "surrogatepass").hex(), sep="\t")
    # Keyword arguments are another call before protocol 4.
    for protocol in 4, 5:
        print("odd", protocol, pickle.dumps([Keyword(size=1), Keyword(size=[2])], protocol).hex(), "", sep="\t")


def comparable():
    yield from [None, True, False, 0, 1, 2, -1, 0.0, -0.0, 1.0, 1.5, -2.5, math.inf, -math.inf, math.nan]
    for bits in 53, 62, 63, 64, 100:
        yield from [2**bits, 2**bits + 1, -(2**bits), -(2**bits) - 1, float(2**bits), -float(2**bits)]
    yield from [2**1024, -(2**1024), 1e308, 9007199254740993, 9007199254740992.0, 0.1]
    yield from ["", "a", "b", "ab", "é", "\U0001f600", "\ud800", "\uffff", b"", b"a", b"b", bytearray(b"a")]
    yield from [[], [1], [1, 2], [1.0], [True, "a"], ["a", 1], [[]], [[1], 2], [None], [math.nan]]
    yield from [(), (1,), (1, 2), (1.0,), ("a",), ((),), ([],)]
    yield from [{}, {1: 2}, {1.0: 2.0}, {"a": [1]}, {1: 2, 3: 4}, {3: 4, 1: 2}, {True: 2}]
    yield from [complex(1), complex(1, 2), complex(-0.0), complex(1.5, -0.0), complex(2**64), complex(math.nan)]
    yield from [range(0), range(5, 5), range(7, 8), range(7, 9, 5), range(3), range(0, 3, 2), range(0, 4, 2), range(2, -1, -1)]
    yield from [(complex(2),), [range(1, 0)], {complex(1): 2}]
    yield from [set(), {1}, {1.0, "a"}, {1, 2}, frozenset({1}), frozenset({1, 2, 3}), {frozenset({1})}, frozenset({2})]


def outcome(function, *args):
    try:
        return str(function(*args))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def write_comparisons():
    # Each is pickled twice, so that no two are one object.
    values = [pickle.dumps(value, 4) for value in comparable()]
    for left in values:
        for right in values:
            first, second = pickle.loads(left), pickle.loads(right)
            equal, less = outcome(operator.eq, first, second), outcome(operator.lt, first, second)
            print(left.hex(), right.hex(), equal, less, sep="\t")


def write_hashes():
    for value in comparable():
        print(pickle.dumps(value, 4).hex(), outcome(lambda: hash(value) * 0), bool(value), type(value).__name__, sep="\t")


def write_slices():
    bounds = [None, *range(-6, 7), 2**62, -(2**62), 2**70, -(2**70)]
    for start, stop in itertools.product(bounds, bounds):
        for step in None, 1, 2, 3, -1, -2, -3, 0, 2**62, -(2**62):
            part = slice(start, stop, step)
            replaced, deleted = list(range(5)), list(range(5))
            got = outcome(operator.getitem, list(range(5)), part)
            setting = outcome(operator.setitem, replaced, part, ["a", "b"])
            outcome(operator.delitem, deleted, part)
            print(pickle.dumps(part, 4).hex(), got, setting, replaced, deleted, sep="\t")


def write_printable():
    """Each assigned character's repr; what another version of Unicode has assigned may differ."""
    for point in range(0x110000):
        if unicodedata.category(chr(point)) != "Cn":
            print(point, repr(chr(point)).encode("utf-8", "surrogatepass").hex(), sep="\t")


def write_floats():
    dice = random.Random(1)
    for _ in range(5000):
        number = struct.unpack("d", dice.randbytes(8))[0]
        print(repr(number))
        print(repr(dice.uniform(-1, 1) * 10 ** dice.randrange(-8, 20)))


def check():
    for line in sys.stdin:
        data, expected = (bytes.fromhex(field) for field in line.split("\t"))
        found = repr(pickle.loads(data)).encode("utf-8", "surrogatepass")
        if found != expected:
            print(f"{data}: {found} instead of {expected}")


if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(4300)
{
    "values": write_values,
    "comparisons": write_comparisons,
    "hashes": write_hashes,
    "slices": write_slices,
    "printable": write_printable,
    "floats": write_floats,
    "check": check,
}[sys.argv[1]]()
