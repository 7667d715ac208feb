//! What several of the test files need.

use std::sync::mpsc;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use hilos::threading::get_native_id;

/// How many items the bounded queues have room for.
pub(crate) const SIZE: usize = 5;

/// Seconds that no call is expected to need, for those that would otherwise hang.
pub(crate) const LONG: u64 = 60;

/// Calls `block` in a thread of its own, then `trigger`, without which `block` must not return.
pub(crate) fn do_blocking_test<R: Send, T>(
    block: impl FnOnce() -> R + Send,
    trigger: impl FnOnce() -> T,
) -> R {
    thread::scope(|scope| {
        let blocked = spawn_blocked(scope, block);
        let blocks = !blocked.is_finished();
        trigger();
        let result = blocked.join().unwrap();
        assert!(blocks, "the call returned before it was triggered");
        result
    })
}

/// Starts a thread, and returns when it sleeps in `block` or has ended.
pub(crate) fn spawn_blocked<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    block: impl FnOnce() -> R + Send + 'scope,
) -> ScopedJoinHandle<'scope, R> {
    let (sender, native_id) = mpsc::channel();
    let handle = scope.spawn(move || {
        sender.send(get_native_id()).unwrap();
        block()
    });
    wait_until_asleep(native_id.recv().unwrap());
    handle
}

/// Waits until a thread sleeps or has ended, so that what is tested is the way out of the sleep.
///
/// A test passes too if the thread does not sleep yet: where the system does not tell, it is only
/// given the time.
fn wait_until_asleep(native_id: u64) {
    let stat = format!("/proc/self/task/{native_id}/stat");
    let is_awake = || match std::fs::read_to_string(&stat) {
        // The state follows the name, which is in parentheses and may hold any character.
        Ok(line) => line
            .rsplit(") ")
            .next()
            .is_some_and(|rest| !rest.starts_with('S')),
        Err(_) => false,
    };
    if !cfg!(target_os = "linux") {
        thread::sleep(Duration::from_millis(50));
    }
    let deadline = Instant::now() + Duration::from_secs(LONG);
    while is_awake() && Instant::now() < deadline {
        thread::yield_now();
    }
}
