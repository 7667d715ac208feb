//! `Barrier` of `test_locks.py`.

mod aborts;
mod meetings;
mod resets;

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{Barrier, Future, Result, Task, create_task, gather};

use crate::support::{extras, fails};

/// How many parties the barriers have.
const N: usize = 5;

fn barrier() -> Barrier {
    Barrier::new(N).unwrap()
}

fn make_tasks<C, F, T>(n: usize, coro: C) -> Vec<Task<T>>
where
    C: Fn() -> F,
    F: std::future::Future<Output = Result<T>> + 'static,
    T: 'static,
{
    (0..n).map(|_| create_task(coro())).collect()
}

fn gather_tasks<C, F, T>(n: usize, coro: C) -> Future<Vec<T>>
where
    C: Fn() -> F,
    F: std::future::Future<Output = Result<T>> + 'static,
    T: 'static,
{
    gather(make_tasks(n, coro))
}

/// A number that coroutines share.
#[derive(Clone, Default)]
struct Count(Rc<Cell<usize>>);

impl Count {
    /// Adds one, and returns the sum.
    fn add(&self) -> usize {
        self.0.update(|count| count + 1);
        self.get()
    }

    fn get(&self) -> usize {
        self.0.get()
    }
}

#[track_caller]
fn is_broken<T: std::fmt::Debug>(result: Result<T>) {
    fails(result, "BrokenBarrierError");
}

/// Checks that nobody waits at the barrier, and that it can be used.
#[track_caller]
fn is_idle(barrier: &Barrier) {
    assert_eq!(barrier.n_waiting(), 0);
    assert!(!barrier.broken());
    assert!(extras(barrier).starts_with("filling"), "{barrier}");
}
