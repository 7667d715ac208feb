//! Sets, which CPython's managers have from 3.14 on.

use hilos::multiprocessing::Process;
use hilos::multiprocessing::managers::{RemoteError, SetProxy};

use super::server::with_own;
use crate::support::run_to_end;

fn sorted(items: Result<Vec<i64>, RemoteError>) -> Vec<i64> {
    let mut items = items.unwrap();
    items.sort_unstable();
    items
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_set
#[test]
fn a_set_is_used_by_two_processes() {
    fn work(set: SetProxy<i64>) {
        assert_eq!(set.len().unwrap(), 0);
        set.update([1, 2, 3, 4]).unwrap();
        assert!(set.contains(1).unwrap() && !set.contains(5).unwrap());
        assert_eq!(sorted(set.union([5])), [1, 2, 3, 4, 5]);
        assert_eq!(sorted(set.intersection([1, 2, 6])), [1, 2]);
        assert_eq!(sorted(set.difference([1, 2])), [3, 4]);
        assert_eq!(sorted(set.symmetric_difference([4, 5])), [1, 2, 3, 5]);
        set.difference_update([4]).unwrap();
    }
    with_own(|manager| {
        let set = manager.set(Vec::<i64>::new()).unwrap();
        assert_eq!(run_to_end(&Process::new(work, (set.clone(),))), Some(0));
        assert_eq!(sorted(set.copy()), [1, 2, 3]);
        assert_eq!(set.to_string(), "{1, 2, 3}");
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_set_init
#[test]
fn a_set_is_made_of_items() {
    with_own(|manager| {
        let set = manager.set([3_i64, 1, 2, 1]).unwrap();
        assert_eq!(sorted(set.copy()), [1, 2, 3]);
        let error = manager.create("set", (42,)).unwrap_err();
        assert!(
            matches!(&error, RemoteError::Traceback(text) if text.contains("not iterable")),
            "{error:?}"
        );
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_set_contain_all_method
#[test]
fn a_set_has_all_methods_of_python_s() {
    let with_another = "__and__ __iand__ __ior__ __isub__ __ixor__ __or__ __rand__ __ror__ __rsub__ \
                        __rxor__ __sub__ __xor__ __ge__ __gt__ __le__ __lt__ difference \
                        difference_update intersection intersection_update isdisjoint issubset \
                        issuperset symmetric_difference symmetric_difference_update union update";
    with_own(|manager| {
        let set = manager.set([1_i64, 2]).unwrap();
        let other = manager.set([2_i64]).unwrap();
        let call = |name: &str, args: &[i64]| set.proxy().call_with(name, args, ());
        for name in with_another.split_whitespace() {
            let result = set.proxy().call_with(name, (other.proxy(),), ());
            assert!(result.is_ok(), "{name}: {result:?}");
        }
        set.update([1, 2, 3]).unwrap();
        for name in "__contains__ discard add remove".split(' ') {
            let result = call(name, &[1]);
            assert!(result.is_ok(), "{name}: {result:?}");
        }
        for name in "__iter__ __len__ copy pop clear".split(' ') {
            let result = call(name, &[]);
            assert!(result.is_ok(), "{name}: {result:?}");
        }
    });
}
