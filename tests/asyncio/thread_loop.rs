//! `get_event_loop` and `set_event_loop`.

use std::thread;

use hilos::asyncio::{
    self, Runner, get_event_loop, get_running_loop, new_event_loop, set_event_loop,
};

use crate::support::fails;

// cpython: test_asyncio/test_events.py::PolicyTests::test_get_event_loop
// cpython: test_asyncio/test_events.py::PolicyTests::test_new_event_loop
// cpython: test_asyncio/test_events.py::PolicyTests::test_get_event_loop_does_not_call_set_event_loop
#[test]
fn no_loop_is_made_unasked() {
    fails(get_event_loop(), "RuntimeError");
    let event_loop = new_event_loop();
    let message = fails(get_event_loop(), "RuntimeError");
    assert!(message.starts_with("There is no current event loop in thread '"));
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::PolicyTests::test_set_event_loop
// cpython: test_asyncio/test_events.py::PolicyTests::test_get_event_loop_after_set_none
#[test]
fn a_thread_may_set_its_loop() {
    let (old, new) = (new_event_loop(), new_event_loop());
    set_event_loop(&old);
    assert!(get_event_loop().unwrap().is(&old));
    set_event_loop(&new);
    assert!(get_event_loop().unwrap().is(&new));
    set_event_loop(None);
    fails(get_event_loop(), "RuntimeError");
    old.close().unwrap();
    new.close().unwrap();
}

// cpython: test_asyncio/test_events.py::PolicyTests::test_get_event_loop_thread
#[test]
fn each_thread_has_its_own() {
    let event_loop = new_event_loop();
    set_event_loop(&event_loop);
    let other = thread::Builder::new().name("other".to_owned());
    let other = other.spawn(|| fails(get_event_loop(), "RuntimeError"));
    let message = other.unwrap().join().unwrap();
    assert_eq!(message, "There is no current event loop in thread 'other'.");
    set_event_loop(None);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::GetEventLoopTestsMixin::test_get_event_loop_returns_running_loop
// cpython: test_asyncio/test_events.py::GetEventLoopTestsMixin::test_get_event_loop_returns_running_loop2
#[test]
fn the_running_loop_comes_first() {
    let (event_loop, set) = (new_event_loop(), new_event_loop());
    for set in [None, Some(&set)] {
        set_event_loop(set);
        fails(get_running_loop(), "RuntimeError");
        let expected = event_loop.clone();
        let inside = async move {
            assert!(get_event_loop()?.is(&expected));
            assert!(get_running_loop()?.is(&expected));
            Ok(())
        };
        event_loop.run_until_complete(inside).unwrap();
        assert_eq!(get_event_loop().is_ok(), set.is_some());
    }
    set_event_loop(None);
    event_loop.close().unwrap();
    set.close().unwrap();
}

// cpython: test_asyncio/test_events.py::GetEventLoopTestsMixin::test_get_running_loop_already_running
#[test]
fn a_loop_that_may_not_run_changes_nothing() {
    asyncio::run(async {
        let running = get_running_loop()?;
        let other = new_event_loop();
        fails(other.run_forever(), "RuntimeError");
        assert!(get_running_loop()?.is(&running));
        other.close()
    })
    .unwrap();
}

#[test]
fn a_runner_sets_the_loop_that_it_makes() {
    let mut runner = Runner::new();
    runner.run(async { Ok(()) }).unwrap();
    let event_loop = runner.get_loop().unwrap();
    assert!(get_event_loop().unwrap().is(&event_loop));
    runner.close().unwrap();
    fails(get_event_loop(), "RuntimeError");
    let mut runner = Runner::new().with_loop_factory(new_event_loop);
    runner.get_loop().unwrap();
    fails(get_event_loop(), "RuntimeError");
}
