//! `serialize_iterator`, `synchronized_iterator` and `concurrent_tee`.

use hilos::threading::{Mutex, concurrent_tee, serialize_iterator, synchronized_iterator};

use crate::support::in_threads;

#[test]
fn each_item_goes_to_one_thread() {
    let (numbers, taken) = (serialize_iterator(0..10_000), Mutex::new(Vec::new()));
    in_threads(4, |_| {
        let mine: Vec<i32> = numbers.clone().collect();
        assert!(mine.is_sorted(), "in the iterator's order");
        taken.lock().extend(mine);
    });
    let mut taken = taken.into_inner();
    taken.sort_unstable();
    assert!(taken.into_iter().eq(0..10_000));
    assert_eq!(numbers.clone().next(), None);
}

#[test]
fn a_panic_of_the_iterator_leaves_it_usable() {
    let mut items = serialize_iterator((0..3).inspect(|item| assert_ne!(*item, 1, "this one")));
    assert_eq!(items.next(), Some(0));
    let mut theirs = items.clone();
    let panics = std::panic::AssertUnwindSafe(|| theirs.next());
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(items.next(), Some(2));
}

#[test]
fn a_function_whose_iterators_are_shared() {
    let count_to = synchronized_iterator(|last: u32| 1..=last);
    let numbers = count_to(1000);
    let total = Mutex::new(0);
    in_threads(3, |_| {
        for number in numbers.clone() {
            *total.lock() += number;
        }
    });
    assert_eq!(*total.lock(), 500_500);
    assert_eq!(count_to(2).count(), 2, "each call makes its own");
}

#[test]
fn every_branch_has_every_item() {
    let branches = concurrent_tee(0..5000, 3);
    let branches: Vec<_> = branches.into_iter().map(Some).map(Mutex::new).collect();
    in_threads(3, |number| {
        let branch = branches[number].lock().take().unwrap();
        assert!(branch.eq(0..5000));
    });
    assert!(concurrent_tee([1], 0).is_empty());
}

#[test]
fn a_clone_of_a_branch_goes_on_from_its_item() {
    let mut branches = concurrent_tee("abcd".chars(), 2).into_iter();
    let (mut first, second) = (branches.next().unwrap(), branches.next().unwrap());
    assert_eq!(first.by_ref().take(2).collect::<String>(), "ab");
    let copy = first.clone();
    drop(first);
    assert_eq!(copy.collect::<String>(), "cd");
    assert_eq!(second.collect::<String>(), "abcd");
}
