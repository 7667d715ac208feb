//! `serialize_iterator`, `synchronized_iterator` and `concurrent_tee`.

use std::sync::Arc;

use hilos::threading::{Mutex, concurrent_tee, serialize_iterator, synchronized_iterator};

use crate::support::{Count, LONG, in_threads, start};

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
fn the_branches_take_each_item_once_from_the_source() {
    let made = Arc::new(Count::default());
    let counter = made.clone();
    let source = (0..1000).inspect(move |_| assert!(counter.up() > 0));
    let branches: Vec<_> = concurrent_tee(source, 4)
        .into_iter()
        .map(|branch| start(move || branch.eq(0..1000)))
        .collect();
    assert!(branches.iter().all(|branch| branch.join(LONG).unwrap()));
    assert_eq!(made.get(), 1000);
}

#[test]
fn nothing_is_kept_for_a_branch_that_was_dropped() {
    let item = Arc::new(());
    let items = vec![item.clone(); 10];
    let mut branches = concurrent_tee(items, 2).into_iter();
    let (first, mut second) = (branches.next().unwrap(), branches.next().unwrap());
    assert_eq!(second.by_ref().take(3).count(), 3);
    assert_eq!(Arc::strong_count(&item), 11, "seven to come, three kept");
    drop(first);
    assert_eq!(Arc::strong_count(&item), 8, "seven to come");
    assert_eq!(second.by_ref().take(2).count(), 2);
    assert_eq!(Arc::strong_count(&item), 6, "five to come");
}

#[test]
fn the_place_of_a_clone_that_was_dropped_is_free_again() {
    let branches = concurrent_tee(0..3, 2);
    let first = branches[0].clone();
    let place = format!("{first:?}");
    drop(first);
    for _ in 0..3 {
        assert_eq!(format!("{:?}", branches[0].clone()), place);
    }
    // A place in the middle is not given to two.
    let clones = [branches[0].clone(), branches[1].clone()];
    drop(branches);
    let last = clones[1].clone();
    for branch in clones.into_iter().chain([last]) {
        assert!(branch.eq(0..3));
    }
}

#[test]
fn a_clone_of_a_branch_goes_on_from_its_item() {
    let mut branches = concurrent_tee("abcd".chars(), 2).into_iter();
    let (mut first, second) = (branches.next().unwrap(), branches.next().unwrap());
    assert_eq!(first.by_ref().take(2).collect::<String>(), "ab");
    let copy = first.clone();
    drop(first);
    assert_eq!(copy.collect::<String>(), "cd");
    assert_eq!(second.clone().collect::<String>(), "abcd", "it is behind");
    assert_eq!(second.collect::<String>(), "abcd");
}
