//! `Handle`, `TimerHandle`, and the handles of other threads.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use hilos::asyncio::{self, EventLoop, LoopHandle, ThreadsafeHandle, TimerHandle, new_event_loop};

use crate::support::{Log, raise, run_briefly, watch};

fn noop() {}

// cpython: test_asyncio/test_events.py::HandleTests::test_callback_with_exception
#[test]
fn the_handler_is_told_which_call_failed() {
    fn fails() -> asyncio::Result<()> {
        raise("ValueError", "no")
    }
    let event_loop = asyncio::testing::new_event_loop();
    let log = watch(&event_loop);
    event_loop.call_soon(fails).unwrap();
    event_loop.call_at(0.0, fails).unwrap();
    run_briefly(&event_loop);
    run_briefly(&event_loop);
    let contexts = log.take();
    let handles = ["<Handle fails()>", "<TimerHandle when=0 fails()>"];
    assert_eq!(contexts.len(), handles.len());
    for (context, handle) in contexts.into_iter().zip(handles) {
        assert_eq!(context.message, "Exception in callback fails()");
        assert_eq!(context.exception.unwrap().repr(), "ValueError('no')");
        assert_eq!(context.handle.as_deref(), Some(handle));
    }
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::TimerTests::test_hash
// cpython: test_asyncio/test_events.py::TimerTests::test_when
// cpython: test_asyncio/test_events.py::TimerTests::test_timer_comparison
#[test]
fn timers_compare_by_their_time() {
    let event_loop = asyncio::testing::new_event_loop();
    let at = |when, callback: fn()| event_loop.call_at(when, callback).unwrap();
    let noop_at = |when| event_loop.call_at(when, noop).unwrap();
    let (one, two) = (noop_at(1.5), noop_at(1.5));
    assert_eq!(one.when(), 1.5);
    let hash = RandomState::new();
    let hashed = |timer: &TimerHandle| hash.hash_one(timer);
    assert_eq!(hashed(&one), hashed(&two));
    assert_ne!(hashed(&one), hashed(&noop_at(2.5)));
    // <, <=, ==, !=, >= and >
    let compare = |one: &TimerHandle, two: &TimerHandle| {
        [
            one < two,
            one <= two,
            one == two,
            one != two,
            one >= two,
            one > two,
        ]
    };
    let equal = [false, true, true, false, true, false];
    assert_eq!(compare(&one, &two), equal);
    two.cancel();
    assert_eq!(
        compare(&one, &two),
        [false, false, false, true, false, false]
    );

    let later = noop_at(11.5);
    assert_eq!(
        compare(&one, &later),
        [true, true, false, true, false, false]
    );
    assert_eq!(
        compare(&later, &one),
        [false, false, false, true, true, true]
    );
    // What else a callback captures nobody can compare.
    let pointer = at(1.5, noop);
    assert!(pointer != at(1.5, noop) && pointer == pointer.clone());
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_call_soon_threadsafe
#[test]
fn another_thread_may_call_first() {
    let event_loop = new_event_loop();
    let (sender, results) = mpsc::channel();
    let handle = event_loop.handle();
    let theirs = sender.clone();
    thread::spawn(move || {
        handle
            .call_soon_threadsafe(move || theirs.send("hello"))
            .unwrap();
    })
    .join()
    .unwrap();
    let stop = event_loop.clone();
    let ours = move || {
        stop.stop();
        sender.send("world")
    };
    event_loop.call_later(0.001, ours).unwrap();
    event_loop.run_forever().unwrap();
    assert_eq!(results.try_iter().collect::<Vec<_>>(), ["hello", "world"]);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_call_soon_threadsafe_same_thread
#[test]
fn in_its_own_thread_it_is_call_soon() {
    let event_loop = new_event_loop();
    let log = Log::new();
    let (hello, world, stop) = (log.clone(), log.clone(), event_loop.clone());
    event_loop
        .call_soon_threadsafe(move || hello.push("hello"))
        .unwrap();
    event_loop
        .call_soon(move || {
            world.push("world");
            stop.stop();
        })
        .unwrap();
    event_loop.run_forever().unwrap();
    assert_eq!(log.take(), ["hello", "world"]);
    event_loop.close().unwrap();
}

/// Runs a loop while `with` works with it in another thread.
fn beside_a_loop(with: impl FnOnce(&LoopHandle) + Send + 'static) {
    let event_loop = new_event_loop();
    let handle = event_loop.handle();
    let thread = thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| with(&handle)));
        handle.call_soon_threadsafe(stop).unwrap();
        outcome
    });
    event_loop.run_forever().unwrap();
    thread.join().unwrap().unwrap();
    event_loop.close().unwrap();
}

fn stop() -> asyncio::Result<()> {
    asyncio::get_running_loop()?.stop();
    Ok(())
}

/// Has the loop make a call that ends when it is let, and hands its handle to `ask` meanwhile.
///
/// `ask` may return only when the call has been made.
fn while_running(ask: impl FnOnce(&ThreadsafeHandle) + Send + 'static) {
    beside_a_loop(|event_loop| {
        let (started, is_started) = mpsc::channel();
        let (end, may_end) = mpsc::channel::<()>();
        let (finished, is_finished) = mpsc::channel();
        let handle = event_loop
            .call_soon_threadsafe(move || {
                started.send(()).unwrap();
                may_end.recv().unwrap();
                // Whoever does not wait asks before this is over.
                thread::sleep(std::time::Duration::from_millis(50));
                finished.send(()).unwrap();
            })
            .unwrap();
        is_started.recv().unwrap();
        end.send(()).unwrap();
        ask(&handle);
        is_finished.try_recv().expect("the call has been made");
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_call_soon_threadsafe_handle_block_check_cancelled
#[test]
fn a_call_that_is_being_made_is_waited_for() {
    while_running(|handle| assert!(!handle.cancelled()));
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_call_soon_threadsafe_handle_block_cancellation
#[test]
fn a_call_that_is_being_made_cannot_be_cancelled() {
    while_running(|handle| assert!(!handle.cancel()));
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_call_soon_threadsafe_handle_cancel_same_thread
#[test]
fn a_call_may_ask_about_itself() {
    beside_a_loop(|event_loop| {
        let (give, given) = mpsc::channel::<ThreadsafeHandle>();
        let (tell, told) = mpsc::channel();
        let handle = event_loop
            .call_soon_threadsafe(move || {
                let handle = given.recv().unwrap();
                tell.send((handle.cancel(), handle.cancelled())).unwrap();
            })
            .unwrap();
        give.send(handle).unwrap();
        assert_eq!(told.recv().unwrap(), (false, false));
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_call_soon_threadsafe_handle_cancel_other_thread
#[test]
fn another_threads_call_may_be_cancelled() {
    beside_a_loop(|event_loop| {
        let (pause, go_on) = mpsc::channel::<()>();
        event_loop
            .call_soon_threadsafe(move || go_on.recv())
            .unwrap();
        let handle = event_loop
            .call_soon_threadsafe(|| -> () { unreachable!("it was cancelled") })
            .unwrap();
        assert_eq!(handle.to_string(), "<ThreadsafeHandle>");
        assert!(handle.cancel() && handle.cancelled() && !handle.cancel());
        assert_eq!(handle.to_string(), "<ThreadsafeHandle cancelled>");
        pause.send(()).unwrap();
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_check_thread
#[test]
fn a_loop_stays_in_its_thread() {
    trait Sendable<T> {
        fn told() {}
    }
    impl<T> Sendable<()> for T {}
    struct IsSend;
    impl<T: Send> Sendable<IsSend> for T {}
    // Were the loop `Send`, this would not compile.
    <EventLoop as Sendable<_>>::told();
    fn is_send<T: Send + Sync>() {}
    is_send::<LoopHandle>();
}
