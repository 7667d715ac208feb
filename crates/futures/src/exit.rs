//! The end of the program: every pool does what it was given, and its workers end.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};

use hilos_core::process::{AtFork, at_fork};
use hilos_threading::register_atexit;

/// A pool whose idle workers look whether they may end.
pub(crate) trait Ends: Send + Sync {
    /// Has them look.
    fn wake(&self);
}

/// Pools that may be gone.
type Pools = Vec<Weak<dyn Ends>>;

/// Whether the program has begun to end.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Every pool that there may be. The standard library's mutex, because a forked child must find
/// nothing but this one word.
static POOLS: Mutex<Pools> = Mutex::new(Vec::new());

/// Has the workers of `pool` end with the program, which waits for them as for all its threads.
pub(crate) fn register(pool: Arc<dyn Ends>) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        at_fork::<Fork>();
        if register_atexit(end).is_err() {
            BEGUN.store(true, Ordering::SeqCst);
        }
    });
    let mut pools = pools();
    pools.retain(|pool| pool.strong_count() > 0);
    pools.push(Arc::downgrade(&pool));
}

/// Whether the program has begun to end.
pub(crate) fn begun() -> bool {
    BEGUN.load(Ordering::SeqCst)
}

fn end() {
    BEGUN.store(true, Ordering::SeqCst);
    let pools = std::mem::take(&mut *pools());
    for pool in pools.iter().filter_map(Weak::upgrade) {
        pool.wake();
    }
}

fn pools() -> MutexGuard<'static, Pools> {
    POOLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the list whole when the process forks.
struct Fork;

thread_local! {
    /// The list, from before a fork until after it.
    static HELD: Cell<Option<MutexGuard<'static, Pools>>> = const { Cell::new(None) };
}

impl AtFork for Fork {
    fn prepare() {
        HELD.set(Some(pools()));
    }

    fn parent() {
        HELD.set(None);
    }

    /// No worker has survived, and any pool may have been locked by one: they are left alone.
    fn child() {
        if let Some(mut pools) = HELD.take() {
            // Without a look at them: the child has no use for their memory.
            std::mem::take(&mut *pools)
                .into_iter()
                .for_each(std::mem::forget);
        }
    }
}
