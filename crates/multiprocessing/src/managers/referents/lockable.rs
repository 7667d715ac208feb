//! What a `Condition` is made over: a lock, a semaphore, or another condition.

use std::any::Any;
use std::fmt::{self, Display};
use std::ops::Deref;
use std::sync::Arc;

use hilos_core::lock::RawLock;
use hilos_core::time::Deadline;
use hilos_pickle::Object;
use hilos_threading::{BoundedSemaphore, Condition, Lock, RLock, Semaphore};

use crate::managers::args::Args;
use crate::managers::exception::Exception;

/// What a condition is made over that a client asks for.
pub(crate) type AnyLock = Arc<dyn Shareable>;

/// A lock that is shown as Python shows it.
pub(crate) trait Shareable:
    RawLock<ReleaseError = Exception> + Display + Send + Sync
{
}

/// The lock that an argument stands for.
pub(super) fn find(args: &Args<'_>, object: &Object) -> Result<AnyLock, Exception> {
    let Some(referent) = args.referent(object) else {
        let acquires = matches!(&*object.type_name(), "AcquirerProxy" | "ConditionProxy");
        return Err(refusal(object, acquires));
    };
    let acquires = referent.exposed().contains(&"acquire");
    known(referent).ok_or_else(|| refusal(object, acquires))
}

fn refusal(object: &Object, acquires: bool) -> Exception {
    match acquires {
        false => Exception::attribute_error(&object.type_name(), "acquire"),
        true => Exception::type_error(
            "a Condition is made over a Lock, an RLock, a semaphore or a Condition of its own manager",
        ),
    }
}

fn known(referent: Arc<dyn Any + Send + Sync>) -> Option<AnyLock> {
    let referent = match referent.downcast::<Lock>() {
        Ok(lock) => return Some(of(lock)),
        Err(other) => other,
    };
    let referent = match referent.downcast::<RLock>() {
        Ok(lock) => return Some(of(lock)),
        Err(other) => other,
    };
    let referent = match referent.downcast::<Semaphore>() {
        Ok(semaphore) => return Some(counting(semaphore, |semaphore| semaphore)),
        Err(other) => other,
    };
    let referent = match referent.downcast::<BoundedSemaphore>() {
        Ok(semaphore) => return Some(counting(semaphore, BoundedSemaphore::deref)),
        Err(other) => other,
    };
    let condition = referent.downcast::<Condition<AnyLock>>().ok()?;
    Some(shown(condition.raw().clone(), condition))
}

/// A lock that is shown as itself.
pub(super) fn of<L>(lock: Arc<L>) -> AnyLock
where
    L: RawLock<ReleaseError: Into<Exception>> + Display + Send + Sync + 'static,
{
    shown(lock.clone(), lock)
}

fn counting<S>(semaphore: Arc<S>, plain: fn(&S) -> &Semaphore) -> AnyLock
where
    S: Display + Send + Sync + 'static,
{
    let owner = semaphore.clone();
    shown(Counting { owner, plain }, semaphore)
}

fn shown<L>(lock: L, shown: Arc<dyn Display + Send + Sync>) -> AnyLock
where
    L: RawLock<ReleaseError: Into<Exception>> + Send + Sync + 'static,
{
    Arc::new(Shown { lock, shown })
}

/// A lock, and the object that a client knows it by.
struct Shown<L> {
    lock: L,
    shown: Arc<dyn Display + Send + Sync>,
}

impl<L> Shareable for Shown<L> where L: RawLock<ReleaseError: Into<Exception>> + Send + Sync {}

impl<L> Display for Shown<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

impl<L: RawLock<ReleaseError: Into<Exception>>> RawLock for Shown<L> {
    type ReleaseError = Exception;

    #[track_caller]
    fn acquire_until(&self, deadline: Deadline) -> bool {
        self.lock.acquire_until(deadline)
    }

    fn release(&self) -> Result<(), Exception> {
        self.lock.release().map_err(Into::into)
    }

    fn locked(&self) -> bool {
        self.lock.locked()
    }

    fn is_owned(&self) -> bool {
        self.lock.is_owned()
    }

    fn release_save(&self) -> usize {
        self.lock.release_save()
    }

    #[track_caller]
    fn acquire_restore(&self, depth: usize) {
        self.lock.acquire_restore(depth);
    }
}

/// A semaphore in the place of a lock, with what Python does for want of a lock's own methods.
struct Counting<S> {
    owner: Arc<S>,
    plain: fn(&S) -> &Semaphore,
}

impl<S> Counting<S> {
    fn semaphore(&self) -> &Semaphore {
        (self.plain)(&self.owner)
    }
}

impl<S> RawLock for Counting<S> {
    type ReleaseError = hilos_threading::ValueError;

    #[track_caller]
    fn acquire_until(&self, deadline: Deadline) -> bool {
        self.semaphore().acquire_timeout(deadline.remaining())
    }

    fn release(&self) -> Result<(), Self::ReleaseError> {
        self.semaphore().release()
    }

    fn locked(&self) -> bool {
        let is_free = self.semaphore().try_acquire();
        !(is_free && self.release().is_ok())
    }

    /// It has no owner: it counts as everybody's while nothing is left of it.
    fn is_owned(&self) -> bool {
        self.locked()
    }

    fn release_save(&self) -> usize {
        usize::from(self.release().is_ok())
    }

    #[track_caller]
    fn acquire_restore(&self, _depth: usize) {
        self.semaphore().acquire();
    }
}
