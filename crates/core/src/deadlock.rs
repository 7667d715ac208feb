//! Who waits for whom, with the feature `deadlock_detection`.
//!
//! Each lock then reports to one table when it is acquired, released or waited for, which makes
//! it several times slower; without the feature nothing is left of it.

use std::num::NonZeroUsize;
use std::panic::Location;

/// One thread of a deadlock and the lock that it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The waiting thread, by [`get_ident`](crate::ident::get_ident).
    pub thread: NonZeroUsize,
    /// Where the thread waits.
    pub waits_at: &'static Location<'static>,
    /// The address of the lock.
    pub lock: usize,
    /// The lock's name, if it was given one.
    pub name: Option<&'static str>,
    /// The thread that holds the lock: the next one in the circle.
    pub held_by: NonZeroUsize,
    /// Where that thread acquired it.
    pub acquired_at: &'static Location<'static>,
}

#[cfg(feature = "deadlock_detection")]
pub(crate) use tracked::Holder;
#[cfg(feature = "deadlock_detection")]
pub use tracked::find;

#[cfg(not(feature = "deadlock_detection"))]
pub(crate) use untracked::Holder;

#[cfg(not(feature = "deadlock_detection"))]
mod untracked {
    use crate::time::Deadline;

    /// Says nothing to nobody.
    #[derive(Debug)]
    pub(crate) struct Holder;

    impl Holder {
        pub(crate) const fn new() -> Self {
            Self
        }
        pub(crate) const fn set_name(&mut self, _name: &'static str) {}
        #[inline(always)]
        pub(crate) fn acquired(&self) {}
        #[inline(always)]
        pub(crate) fn released(&self) {}
        #[inline(always)]
        pub(crate) fn waiting(&self, _deadline: Deadline) -> Waiting {
            Waiting
        }
    }

    pub(crate) struct Waiting;
}

#[cfg(feature = "deadlock_detection")]
mod tracked {
    use std::collections::HashMap;
    use std::num::NonZeroUsize;
    use std::panic::Location;
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

    use super::Link;
    use crate::ident::get_ident;
    use crate::time::Deadline;

    static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

    #[derive(Default)]
    struct Table {
        /// By the lock's address: who acquired it last and has not released it.
        held: HashMap<usize, (NonZeroUsize, &'static Location<'static>)>,
        /// By thread: what it waits for without a deadline.
        waits: HashMap<NonZeroUsize, Wait>,
    }

    #[derive(Clone, Copy)]
    struct Wait {
        lock: usize,
        name: Option<&'static str>,
        at: &'static Location<'static>,
    }

    fn table() -> MutexGuard<'static, Table> {
        TABLE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the table about its lock, whose address is its own.
    #[derive(Debug)]
    pub(crate) struct Holder {
        name: Option<&'static str>,
    }

    impl Holder {
        pub(crate) const fn new() -> Self {
            Self { name: None }
        }

        pub(crate) const fn set_name(&mut self, name: &'static str) {
            self.name = Some(name);
        }

        #[track_caller]
        pub(crate) fn acquired(&self) {
            table()
                .held
                .insert(self.address(), (get_ident(), Location::caller()));
        }

        pub(crate) fn released(&self) {
            table().held.remove(&self.address());
        }

        #[track_caller]
        pub(crate) fn waiting(&self, deadline: Deadline) -> Waiting {
            if deadline.is_never() {
                let wait = Wait {
                    lock: self.address(),
                    name: self.name,
                    at: Location::caller(),
                };
                table().waits.insert(get_ident(), wait);
            }
            Waiting
        }

        fn address(&self) -> usize {
            std::ptr::from_ref(self).addr()
        }
    }

    impl Drop for Holder {
        fn drop(&mut self) {
            self.released();
        }
    }

    /// The current thread waits for as long as this lives.
    pub(crate) struct Waiting;

    impl Drop for Waiting {
        fn drop(&mut self) {
            table().waits.remove(&get_ident());
        }
    }

    /// Every circle of threads that wait for one another, each circle once.
    pub fn find() -> Vec<Vec<Link>> {
        let table = table();
        let mut circles: Vec<Vec<Link>> = Vec::new();
        for &thread in table.waits.keys() {
            let known = circles.iter().flatten().any(|link| link.thread == thread);
            if !known && let Some(circle) = table.circle_from(thread) {
                circles.push(circle);
            }
        }
        circles
    }

    impl Table {
        /// The circle that leads from `start` back to it, if there is one.
        fn circle_from(&self, start: NonZeroUsize) -> Option<Vec<Link>> {
            let mut circle = vec![self.link(start)?];
            while let Some(last) = circle.last().filter(|last| last.held_by != start) {
                let next = last.held_by;
                if circle.iter().any(|link| link.thread == next) {
                    // A circle, but one that `start` only waits for.
                    return None;
                }
                circle.push(self.link(next)?);
            }
            Some(circle)
        }

        fn link(&self, thread: NonZeroUsize) -> Option<Link> {
            let wait = self.waits.get(&thread)?;
            let &(held_by, acquired_at) = self.held.get(&wait.lock)?;
            let Wait {
                lock,
                name,
                at: waits_at,
            } = *wait;
            Some(Link {
                thread,
                waits_at,
                lock,
                name,
                held_by,
                acquired_at,
            })
        }
    }
}
