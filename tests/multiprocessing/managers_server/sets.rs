//! Sets, which CPython's own managers have since 3.14.

use super::Serving;

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_set
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_set_init
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_set_contain_all_method
#[test]
fn a_set_is_python_s() {
    let serving = Serving::start(|_| {});
    let output = serving.python(
        "
if not hasattr(SyncManager, 'set'):
    Manager.register('set')
def check(line):
    results = []
    for make in set, m.set:
        s = make([1, 2, 3])
        try:
            result = eval(line)
        except Exception as error:
            result = type(error).__name__, str(error).replace(type(s).__name__, 'set')
        if hasattr(result, '_getvalue'):
            result = result._getvalue()
        results.append((result, s if make is set else s._getvalue()))
    if results[0] != results[1]:
        print(line, *results)
for line in '''
len(s)
sorted(s.__iter__())
1 in s, 5 in s, 1.0 in s
[] in s
s.add(4)
s.add([])
s.discard(1)
s.discard(9)
s.remove(2)
s.remove(9)
s.clear()
s.copy()
s.clear(), s.pop()
len({s.pop(), s.pop(), s.pop()})
s | {4}
s & {1, 9}
s - {1}
s ^ {1, 9}
s.__ror__({4})
s.__rand__({1, 9})
s.__rsub__({1, 9})
s.__rxor__({1, 9})
s.__ior__({4})
s.__iand__({1, 9})
s.__isub__({1})
s.__ixor__({1, 9})
s.__or__([4])
s <= {1, 2, 3}, s < {1, 2, 3}, s >= {1}, s > {1}, s.__lt__(5)
s.union([4], (5,))
s.union()
s.union(5)
s.union([[]])
s.update('ab', {6: 7})
s.intersection([1, 2], [2])
s.intersection_update([1, 2])
s.difference([1], [2])
s.difference_update([1])
s.symmetric_difference([1, 9])
s.symmetric_difference()
s.symmetric_difference_update([1, 9])
s.isdisjoint([4]), s.isdisjoint([1])
s.issubset(range(9)), s.issubset([1])
s.issuperset([1]), s.issuperset([9])
s.__contains__()
'''.strip().splitlines():
    check(line)
print(m.set(), m.set('a'), m.set(m.list([1])), m.set(frozenset({2})))
for wrong in 5, [[]]:
    try:
        m.set(wrong)
    except RemoteError as error:
        print(str(error).strip('- \\n').splitlines()[-1])
",
    );
    if let Some(output) = output {
        let expected = "\
set() {'a'} {1} {2}
TypeError: 'int' object is not iterable
TypeError: unhashable type: 'list'
";
        assert_eq!(output, expected);
    }
}
