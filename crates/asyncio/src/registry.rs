//! The tasks of a loop that are not done.

use std::rc::Rc;

use crate::any_future::{AnyFuture, AnyRc};
use crate::threadsafe::TaskKey;

/// All tasks of a loop that are not done, findable by a key that other threads may hold.
#[derive(Default)]
pub(crate) struct Registry {
    places: Vec<Option<AnyRc>>,
    free: Vec<u32>,
}

impl Registry {
    /// Keeps the task that `make` makes, given its key with the task's own `number`.
    pub(crate) fn insert<T: AnyFuture>(
        &mut self,
        number: u64,
        make: impl FnOnce(TaskKey) -> Rc<T>,
    ) -> Rc<T> {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).expect("fewer than 4 billion tasks")
        });
        let task = make(TaskKey { place, number });
        self.places[place as usize] = Some(task.clone());
        task
    }

    pub(crate) fn get(&self, key: TaskKey) -> Option<AnyRc> {
        self.at(key.place).filter(|task| number(task) == key.number)
    }

    /// The task at a place that it is known to have.
    #[inline]
    pub(crate) fn at(&self, place: u32) -> Option<AnyRc> {
        self.places.get(place as usize)?.clone()
    }

    /// Takes a task out, if it is there; the caller drops it.
    pub(crate) fn remove(&mut self, key: TaskKey) -> Option<AnyRc> {
        let place = self.places.get_mut(key.place as usize)?;
        let task = place.take_if(|task| number(task) == key.number)?;
        self.free.push(key.place);
        Some(task)
    }

    /// The tasks, oldest first.
    pub(crate) fn tasks(&self) -> Vec<AnyRc> {
        let mut tasks: Vec<_> = self.places.iter().flatten().cloned().collect();
        tasks.sort_unstable_by_key(number);
        tasks
    }

    pub(crate) fn into_tasks(self) -> Vec<AnyRc> {
        self.tasks()
    }
}

/// The number that no other task has.
fn number(task: &AnyRc) -> u64 {
    task.task().map_or(0, |head| head.key.number)
}
