//! What a loop prints on the standard error output, and what the environment tells it.

use std::process::{Command, ExitCode};
use std::sync::mpsc;

use hilos::asyncio::{self, EventLoop, ExceptionContext, get_running_loop, new_event_loop, sleep};
use hilos::concurrent::futures::ThreadPoolExecutor;

use crate::driver::{Scenario, quiet};

pub(crate) const SCENARIOS: &[Scenario] = &[
    noisy(
        "a_handler_that_fails_is_reported",
        broken_handler,
        &[
            "Exception in callback zero_error()\nhandle: <Handle zero_error()>\n",
            "ZeroDivisionError: division by zero\n",
            "Unhandled error in exception handler\n\
             context: {'message': 'Exception in callback zero_error()', \
             'exception': ZeroDivisionError('division by zero'), \
             'handle': <Handle zero_error()>}\n\
             panic: ham\n",
        ],
    ),
    noisy(
        "a_handler_that_cannot_enter_a_context_is_reported",
        entered_context,
        &[
            "Unhandled error in exception handler\n\
             context: {'message': 'mine', 'task': <Task pending name='Task-1' coro=<entered_context()",
            ">>}\nRuntimeError: cannot enter context: ",
        ],
    ),
    noisy(
        "a_handler_that_exits_while_a_task_is_destroyed_is_ignored",
        exit_while_destroyed,
        &[
            "Exception ignored in: the exception handler of <EventLoop ",
            "SystemExit: 0\n",
        ],
    ),
    noisy(
        "debug_mode_tells_of_slow_calls",
        slow_calls,
        &[
            "Executing <Handle stop()> took ",
            "Executing <Task ",
            "stop_later",
            " seconds\n",
        ],
    ),
    noisy(
        "threads_that_are_late_are_told_of",
        late_threads,
        &[
            "RuntimeWarning: The executor did not finishing joining its threads within 0.01 seconds.",
        ],
    ),
    quiet(
        "tasks_are_numbered_as_they_come",
        names,
        "Task-1 Task-2 named Task-3 at first Task-4 Task-6\n",
    ),
    quiet("debug_mode_is_off", debug, "false\n"),
    quiet("debug_mode_comes_from_the_environment", environment, ""),
];

/// A scenario that prints nothing but on the standard error output, and returns 0.
const fn noisy(
    name: &'static str,
    run: fn() -> ExitCode,
    stderr: &'static [&'static str],
) -> Scenario {
    Scenario {
        stderr,
        ..quiet(name, run, "")
    }
}

fn run_briefly(event_loop: &EventLoop) {
    event_loop.run_until_complete(async { Ok(()) }).unwrap();
}

/// A task that the program names takes no number from the others; one that it renames has had one.
fn names() -> ExitCode {
    async fn nothing() -> asyncio::Result<()> {
        Ok(())
    }
    let names = asyncio::run(async {
        let main = asyncio::current_task().expect("it runs").get_name();
        let tasks = [
            asyncio::create_task(nothing()),
            asyncio::create_task(nothing()).with_name("named"),
            asyncio::create_task(nothing()),
            asyncio::TaskOptions::new()
                .with_name("at first")
                .create_task(nothing()),
            asyncio::create_task(nothing()),
        ];
        let renamed = asyncio::create_task(nothing());
        renamed.set_name("later");
        let last = asyncio::create_task(nothing()).get_name();
        let names: Vec<_> = tasks.iter().map(|task| task.get_name()).collect();
        Ok(format!("{main} {} {last}", names.join(" ")))
    });
    println!("{}", names.unwrap());
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_default_exc_handler_broken
// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_set_exc_handler_broken
fn broken_handler() -> ExitCode {
    fn zero_error() -> asyncio::Result<()> {
        let message = "division by zero";
        Err(asyncio::Exception::new("ZeroDivisionError", message))
    }
    let event_loop = new_event_loop();
    event_loop.call_soon(zero_error).unwrap();
    run_briefly(&event_loop);
    event_loop.set_exception_handler(|_: &EventLoop, _: &ExceptionContext| panic!("ham"));
    event_loop.call_soon(zero_error).unwrap();
    run_briefly(&event_loop);
    event_loop.close().unwrap();
    ExitCode::SUCCESS
}

fn entered_context() -> ExitCode {
    let event_loop = new_event_loop();
    event_loop.set_exception_handler(|_, _| println!("it is not called"));
    let reports = async {
        let context = ExceptionContext::new("mine");
        let context = context.with_task(asyncio::current_task().unwrap());
        get_running_loop()?.call_exception_handler(context);
        Ok(())
    };
    event_loop.run_until_complete(reports).unwrap();
    event_loop.close().unwrap();
    ExitCode::SUCCESS
}

fn exit_while_destroyed() -> ExitCode {
    let event_loop = new_event_loop();
    event_loop.set_exception_handler(|_, _| hilos::threading::exit());
    let task = event_loop.create_task(sleep(1)).unwrap();
    event_loop.close().unwrap();
    drop(task);
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_log_slow_callbacks
fn slow_calls() -> ExitCode {
    fn stop() {
        get_running_loop().unwrap().stop();
    }
    async fn stop_later() -> asyncio::Result<()> {
        stop();
        Ok(())
    }
    let event_loop = new_event_loop();
    event_loop.set_debug(true);
    event_loop.set_slow_callback_duration(0.0);
    event_loop.call_soon(stop).unwrap();
    event_loop.run_forever().unwrap();
    let task = event_loop.create_task(stop_later()).unwrap();
    event_loop.run_forever().unwrap();
    drop(task);
    event_loop.close().unwrap();
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_shutdown_default_executor_timeout
fn late_threads() -> ExitCode {
    let event_loop = new_event_loop();
    let executor = ThreadPoolExecutor::new(1).unwrap();
    event_loop.set_default_executor(&executor);
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let call = event_loop.run_in_executor(None, move || may_go_on.recv().is_ok());
    let shutdown = event_loop.shutdown_default_executor(0.01);
    event_loop.run_until_complete(shutdown).unwrap();
    go_on.send(()).unwrap();
    assert!(event_loop.run_until_complete(call.unwrap()).unwrap());
    event_loop.run_until_complete(sleep(0)).unwrap();
    event_loop.close().unwrap();
    ExitCode::SUCCESS
}

fn debug() -> ExitCode {
    println!("{}", new_event_loop().get_debug());
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_env_var_debug
fn environment() -> ExitCode {
    for (value, debug) in [("", "false\n"), ("1", "true\n")] {
        let child = Command::new(std::env::current_exe().unwrap())
            .env("HILOS_SCENARIO", "debug_mode_is_off")
            .env("HILOS_ASYNCIO_DEBUG", value)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&child.stdout), debug);
    }
    ExitCode::SUCCESS
}
