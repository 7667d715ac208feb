"""Does the same with a manager of this Python's own and with the one at an address, and prints what differs.

argv: the address, the key, and the lines: Python expressions of `m`, the manager, and of the names that
lines before have set. After `~` the results may differ, after a version this Python must be as new.
"""
import array, ast, collections, copy, faulthandler, functools, math, multiprocessing, operator, re, sys, time
from multiprocessing.managers import RemoteError, SyncManager


def attempt(action):
    try:
        return show(action())
    except RemoteError as error:
        lines = [line for line in str(error).splitlines() if line.strip('-')]
        return 'RemoteError: ' + lines[-1]
    except Exception as error:
        name = '%s.%s' % (type(error).__module__.lstrip('_'), type(error).__name__)
        return '%s: %s' % (name, without_addresses(str(error)))


def without_addresses(text):
    return re.sub('0x[0-9a-f]{6,}', '0x..', text)


def show(value):
    if hasattr(value, '_token'):
        value = 'proxy of %s: %s' % (value._token.typeid, value)
    elif hasattr(value, '__next__'):
        value = list(value)
    return without_addresses(repr(value))


def results(manager, lines):
    names = dict(globals(), m=manager)
    for line in lines:
        name, equals, expression = line.partition(' = ')
        if equals and name.isidentifier():
            yield attempt(lambda: names.__setitem__(name, eval(expression, names)))
        else:
            yield attempt(lambda: eval(line, names))


def comparable(result):
    """Other versions word some exceptions in another way."""
    if sys.version_info[:2] == (3, 13):
        return result
    match = re.match(r'(RemoteError: \S+?|\w+\.\w+):', result)
    return match.group(1) if match else result


def selected(lines):
    for line in lines:
        match = re.match(r'(~|3\.\d+) (.*)', line)
        mark, rest = match.groups() if match else ('', line)
        if not mark.startswith('3') or sys.version_info >= (3, int(mark[2:])):
            yield mark, rest


def main():
    faulthandler.dump_traceback_later(100, exit=True)
    address, key, lines = ast.literal_eval(sys.argv[1]), sys.argv[2].encode(), sys.argv[3].splitlines()
    lines = [line for line in lines if line and not line.startswith('#')]
    marks, lines = zip(*selected(lines))
    # Proxies that are unpickled take the process's key.
    multiprocessing.current_process().authkey = key
    theirs = SyncManager(address, key)
    theirs.connect()
    got = list(results(theirs, lines))
    with SyncManager(authkey=key) as own:
        expected = list(results(own, lines))
    for mark, line, one, other in zip(marks, lines, expected, got):
        if mark != '~' and comparable(one) != comparable(other):
            print('says %s\n   CPython: %s\n   hilos:   %s' % (line, one, other))
    print('says compared', len(lines) > 300)


if __name__ == '__main__':
    main()
