//! `threading.local`.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// A value of which every thread has its own.
///
/// Use it for what a thread keeps between calls and no other may see: a connection, a buffer, a
/// counter. A thread's value is made when the thread first asks for it, and dropped when the thread
/// ends or the `Local` is dropped; of another thread's values the latter is noticed when that
/// thread next uses any `Local`.
///
/// ```
/// use std::sync::Arc;
/// use hilos_threading as threading;
/// use threading::{Local, Thread};
///
/// let mydata = Arc::new(Local::new(|| 0));
/// mydata.set(1);
/// let theirs = mydata.clone();
/// let thread = Thread::new(move || assert_eq!(theirs.get(), 0));
/// thread.start()?;
/// thread.join(None)?;
/// assert_eq!(mydata.get(), 1);
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - One typed value instead of attributes: several make a struct. Where Python raises
///   `AttributeError`, the closure makes the thread's first value, as a subclass's `__init__` does.
///
/// Mirrors [`threading.local`](https://docs.python.org/3.14/library/threading.html#threading.local).
pub struct Local<T> {
    id: u64,
    init: Box<dyn Fn() -> T + Send + Sync>,
    /// What the values of all threads know the `Local` by.
    alive: Arc<()>,
}

/// A thread's values of every `Local` that it has used.
type Values = HashMap<u64, (Weak<()>, Rc<dyn Any>)>;

thread_local! {
    static VALUES: RefCell<Values> = RefCell::default();
}

impl<T: 'static> Local<T> {
    /// Creates a local whose value in each thread is first what `init` returns there.
    pub fn new<F: Fn() -> T + Send + Sync + 'static>(init: F) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            id,
            init: Box::new(init),
            alive: Arc::new(()),
        }
    }

    /// Calls `f` with this thread's value.
    ///
    /// # Panics
    /// Inside [`with_mut`](Self::with_mut) of the same local.
    pub fn with<R, F: FnOnce(&T) -> R>(&self, f: F) -> R {
        f(&self.value().borrow())
    }

    /// Calls `f` with this thread's value, to change it.
    ///
    /// # Panics
    /// Inside [`with`](Self::with) or `with_mut` of the same local.
    pub fn with_mut<R, F: FnOnce(&mut T) -> R>(&self, f: F) -> R {
        f(&mut self.value().borrow_mut())
    }

    /// A copy of this thread's value.
    ///
    /// # Panics
    /// As [`with`](Self::with).
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// Replaces this thread's value.
    ///
    /// # Panics
    /// As [`with_mut`](Self::with_mut).
    pub fn set(&self, value: T) {
        let old = self.value().replace(value);
        drop(old);
    }

    /// This thread's value, made if there is none.
    ///
    /// While the thread ends, its values are gone: each use makes one of its own.
    fn value(&self) -> Rc<RefCell<T>> {
        self.known().unwrap_or_else(|| {
            let value = Rc::new(RefCell::new((self.init)()));
            let entry = (Arc::downgrade(&self.alive), value.clone() as Rc<dyn Any>);
            let orphans = VALUES.try_with(|values| {
                let mut values = values.borrow_mut();
                values.insert(self.id, entry);
                values
                    .extract_if(|_, (local, _)| local.strong_count() == 0)
                    .collect::<Vec<_>>()
            });
            // Dropped while nothing is borrowed: a value may use a `Local` in its destructor.
            drop(orphans);
            value
        })
    }

    fn known(&self) -> Option<Rc<RefCell<T>>> {
        let find = |values: &RefCell<Values>| Some(values.borrow().get(&self.id)?.1.clone());
        VALUES.try_with(find).ok().flatten()?.downcast().ok()
    }
}

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        let value = VALUES.try_with(|values| values.borrow_mut().remove(&self.id));
        drop(value);
    }
}

impl<T> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}
