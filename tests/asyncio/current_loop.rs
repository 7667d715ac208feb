//! The loop that a thread has while none runs; how loops begin.

use std::process::Command;

use hilos::asyncio::{
    self, EventLoop, Future, Runner, gather, gather_results, get_event_loop, get_running_loop,
    new_event_loop, set_event_loop, shield, wrap_future,
};
use hilos::concurrent::futures::ThreadPoolExecutor;

use crate::support::{fails, run_briefly};

/// Calls `f` with a loop that is the current one meanwhile.
fn with_current(f: fn(&EventLoop)) {
    let event_loop = new_event_loop();
    set_event_loop(&event_loop);
    f(&event_loop);
    set_event_loop(None);
    event_loop.close().unwrap();
}

#[track_caller]
fn belongs<T: 'static>(future: &Future<T>, event_loop: &EventLoop) {
    assert!(future.get_loop().is(event_loop));
}

// cpython: test_asyncio/test_events.py::PolicyTests::test_get_event_loop
// cpython: test_asyncio/test_events.py::PolicyTests::test_get_event_loop_after_set_none
// cpython: test_asyncio/test_events.py::PolicyTests::test_get_event_loop_thread
// cpython: test_asyncio/test_events.py::PolicyTests::test_set_event_loop
// cpython: test_asyncio/test_events.py::PolicyTests::test_get_event_loop_does_not_call_set_event_loop
#[test]
fn a_thread_has_the_loop_that_it_was_given() {
    let message = fails(get_event_loop(), "RuntimeError");
    assert!(message.starts_with("There is no current event loop in thread '"));
    fails(get_event_loop(), "RuntimeError");
    with_current(|event_loop| {
        assert!(get_event_loop().unwrap().is(event_loop));
        let other = std::thread::spawn(|| get_event_loop().is_err());
        assert!(other.join().unwrap());
        fails(get_running_loop(), "RuntimeError");
    });
    fails(get_event_loop(), "RuntimeError");
}

// cpython: test_asyncio/test_events.py::GetEventLoopTestsMixin::test_get_event_loop_returns_running_loop
// cpython: test_asyncio/test_events.py::GetEventLoopTestsMixin::test_get_event_loop_returns_running_loop2
#[test]
fn a_loop_that_runs_comes_first() {
    with_current(|current| {
        let running = new_event_loop();
        let (same, current) = (running.clone(), current.clone());
        let check = async move { Ok(get_event_loop()?.is(&same) && !same.is(&current)) };
        assert!(running.run_until_complete(check).unwrap());
        running.close().unwrap();
    });
}

#[test]
fn a_runner_gives_its_thread_the_loop_that_it_makes() {
    let mut runner = Runner::new();
    let event_loop = runner.get_loop().unwrap();
    assert!(get_event_loop().unwrap().is(&event_loop));
    runner.run(async { Ok(()) }).unwrap();
    assert!(get_event_loop().unwrap().is(&event_loop));
    runner.close().unwrap();
    fails(get_event_loop(), "RuntimeError");
    let mut runner = Runner::new().with_loop_factory(new_event_loop);
    runner.run(async { Ok(()) }).unwrap();
    fails(get_event_loop(), "RuntimeError");
    runner.close().unwrap();
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_constructor_use_global_loop
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_wrap_future_use_global_loop
#[test]
fn a_future_may_belong_to_the_current_loop() {
    with_current(|event_loop| {
        belongs(&Future::<()>::new(), event_loop);
        let executor = ThreadPoolExecutor::new(1).unwrap();
        let future = wrap_future(&executor.submit(|| "oi").unwrap());
        belongs(&future, event_loop);
        assert_eq!(event_loop.run_until_complete(future).unwrap(), "oi");
        executor.shutdown(true);
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_coroutine_use_global_loop
// cpython: test_asyncio/test_tasks.py::FutureGatherTests::test_constructor_empty_sequence_use_global_loop
// cpython: test_asyncio/test_tasks.py::CoroutineGatherTests::test_constructor_use_global_loop
#[test]
fn so_may_what_is_shielded_and_gathered() {
    with_current(|event_loop| {
        let shielded = shield(async { Ok(42) });
        belongs(&shielded, event_loop);
        assert_eq!(event_loop.run_until_complete(shielded).unwrap(), 42);

        let nothing = gather([] as [Future<u8>; 0]);
        belongs(&nothing, event_loop);
        run_briefly(event_loop);
        assert!(nothing.done());
        assert_eq!(nothing.result().unwrap(), []);

        let coro = || async { Ok("abc") };
        let gathered = gather([coro(), coro()]);
        belongs(&gathered, event_loop);
        let results = event_loop.run_until_complete(gathered).unwrap();
        assert_eq!(results, ["abc", "abc"]);
    });
}

#[test]
#[should_panic(expected = "There is no current event loop")]
fn without_a_loop_nothing_is_gathered() {
    drop(gather_results([async { Ok(()) }]));
}

/// What a program of its own prints for the variable's value.
fn debug_with(value: Option<&str>) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "current_loop::debug_mode", "--ignored"]);
    program
        .args(["--nocapture"])
        .env_remove("HILOS_ASYNCIO_DEBUG");
    if let Some(value) = value {
        program.env("HILOS_ASYNCIO_DEBUG", value);
    }
    let output = program.output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "a program of another test"]
fn debug_mode() {
    println!("debug={}", new_event_loop().get_debug());
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_env_var_debug
// cpython: test_asyncio/test_tasks.py::GatherTestsBase::test_env_var_debug
#[test]
fn debug_mode_may_come_from_the_environment() {
    assert!(debug_with(None).contains("debug=false"));
    assert!(debug_with(Some("")).contains("debug=false"));
    assert!(debug_with(Some("1")).contains("debug=true"));
    asyncio::run(async {
        let event_loop = get_running_loop()?;
        event_loop.set_debug(true);
        assert!(event_loop.get_debug());
        event_loop.set_debug(false);
        Ok(())
    })
    .unwrap();
}
