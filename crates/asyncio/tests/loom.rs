//! Models of how other threads wake a loop and its tasks, which loom explores in every order.
//!
//! A loop that nobody wakes fails its model: loom then finds that no thread can go on.
//!
//! Run: RUSTFLAGS="--cfg loom" cargo test --release --package hilos-asyncio --test loom

#![cfg(loom)]

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use hilos_core::sync::model::{check, expire_timeouts};
use hilos_core::sync::{Condvar, Mutex};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

// The crate has no public way in that other threads can go without a loop of their own.
#[allow(dead_code, reason = "the models need not call everything")]
#[path = "../src/inbox.rs"]
mod inbox;
use inbox::Inbox;

fn inbox() -> Arc<Inbox<usize>> {
    Arc::new(Inbox::new())
}

/// What has come when the loop has slept.
fn next(inbox: &Inbox<usize>) -> Vec<usize> {
    loop {
        let items = inbox.receive();
        if !items.is_empty() {
            return items;
        }
        inbox.sleep(None);
    }
}

#[test]
fn wakes_of_two_threads_arrive_once_each() {
    check(|| {
        let inbox = inbox();
        let threads = [1, 2].map(|item| {
            let inbox = inbox.clone();
            thread::spawn(move || inbox.send(item))
        });
        let mut all = Vec::new();
        while all.len() < 2 {
            all.extend(next(&inbox));
        }
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(inbox.receive().is_empty());
    });
}

/// The loop polls a task until what it waits for is there: the wake may come before the poll,
/// within it and after it.
#[test]
fn a_wake_that_races_with_the_poll_leads_to_another_poll() {
    check(|| {
        let inbox = inbox();
        let ready = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (inbox, ready) = (inbox.clone(), ready.clone());
            move || {
                ready.store(true, Ordering::Relaxed);
                inbox.send(7);
            }
        });
        // Only the inbox orders the two threads' memory.
        while !ready.load(Ordering::Relaxed) {
            assert_eq!(next(&inbox), [7]);
            assert!(ready.load(Ordering::Relaxed));
        }
        thread.join().unwrap();
    });
}

/// Rings where the loop sleeps, if it sleeps elsewhere: in its selector or in tokio.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    ringing: Condvar,
}

impl Bell {
    fn wait(&self) {
        let mut rung = self.rung.lock();
        while !*rung {
            self.ringing.wait(&mut rung);
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock() = true;
        self.ringing.notify_one();
    }
}

#[test]
fn an_alarm_rings_for_what_comes_after_it_was_set() {
    check(|| {
        let inbox = inbox();
        let thread = thread::spawn({
            let inbox = inbox.clone();
            move || inbox.send(1)
        });
        let bell = Arc::new(Bell::default());
        if inbox.set_alarm(Waker::from(bell.clone())) {
            bell.wait();
        }
        inbox.unset_alarm();
        assert_eq!(inbox.receive(), [1]);
        thread.join().unwrap();
    });
}

#[test]
fn a_wake_while_the_loop_is_closed_is_taken_or_refused_but_not_kept() {
    /// Counts those that are there.
    struct Item(Arc<AtomicUsize>);

    impl Drop for Item {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    check(|| {
        let inbox = Arc::new(Inbox::new());
        let alive = Arc::new(AtomicUsize::new(1));
        let thread = thread::spawn({
            let (inbox, item) = (inbox.clone(), Item(alive.clone()));
            move || inbox.send(item)
        });
        drop(inbox.close());
        thread.join().unwrap();
        assert!(inbox.is_closed());
        assert_eq!(alive.load(Ordering::Relaxed), 0);
        assert!(inbox.receive().is_empty());
    });
}

#[test]
fn a_sleep_ends_with_its_timeout_or_with_a_wake() {
    check(|| {
        let inbox = inbox();
        let thread = thread::spawn({
            let inbox = inbox.clone();
            move || {
                expire_timeouts();
                inbox.send(1);
            }
        });
        inbox.sleep(Some(Duration::from_secs(1_000_000)));
        let mut all = inbox.receive();
        thread.join().unwrap();
        all.extend(inbox.receive());
        assert_eq!(all, [1]);
    });
}
