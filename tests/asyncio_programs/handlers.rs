//! `loop.add_signal_handler`.

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hilos::asyncio::{self, create_task, get_running_loop, new_event_loop, sleep};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, raise, sigaction};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, getpid};

use crate::driver::{Scenario, quiet};

pub(crate) const SCENARIOS: &[Scenario] = &[
    quiet("signals_come_in_their_order", order, ORDER),
    quiet("not_every_number_is_a_signal", numbers, ""),
    quiet("only_the_main_thread_handles_signals", threads, ""),
    quiet("a_signal_ends_the_loops_sleep", sleeping, "alarm 42\n"),
    quiet("a_handler_is_replaced", replaced, "second\n"),
    quiet("removing_a_handler_restores_the_old_one", restores, ""),
    quiet("closing_the_loop_removes_its_handlers", closes, ""),
    quiet(
        "a_signal_for_nobody_does_not_keep_the_loop_awake",
        nobody,
        "",
    ),
    quiet("a_child_keeps_its_signals_from_its_parent", forks, ""),
];

/// What CPython prints.
const ORDER: &str = "\
main 0
tick 0
soon
main 1
timer
tick 1
main 2
handler 2
handler 1
true
tick 2
main 3
tick 3
main 4
tick 4
main 5
handler 2
handler 2
tick 5
tick 6
tick 7
";

fn order() -> ExitCode {
    asyncio::run(async {
        let event_loop = get_running_loop()?;
        let tick = create_task(async {
            for i in 0..8 {
                println!("tick {i}");
                sleep(0).await?;
            }
            Ok(())
        });
        let remover = event_loop.clone();
        event_loop.add_signal_handler(libc::SIGUSR1, move || {
            println!("handler 1");
            let removed = remover.remove_signal_handler(libc::SIGUSR1);
            removed.map(|removed| println!("{removed}"))
        })?;
        event_loop.add_signal_handler(libc::SIGUSR2, || println!("handler 2"))?;
        event_loop.call_soon(|| println!("soon"))?;
        raise(Signal::SIGUSR2)?;
        raise(Signal::SIGUSR1)?;
        event_loop.call_later(0, || println!("timer"))?;
        for i in 0..6 {
            println!("main {i}");
            if i == 3 {
                raise(Signal::SIGUSR2)?;
                raise(Signal::SIGUSR2)?;
            }
            sleep(0).await?;
        }
        tick.await
    })
    .unwrap();
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_add_signal_handler
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopSignalTests::test_check_signal
fn numbers() -> ExitCode {
    let event_loop = new_event_loop();
    for sig in [0, -1, 32, libc::SIGRTMAX() + 1] {
        let added = event_loop.add_signal_handler(sig, || ());
        let error = added.unwrap_err();
        assert_eq!(error.type_name(), "ValueError");
        assert_eq!(error.to_string(), format!("invalid signal number {sig}"));
        let error = event_loop.remove_signal_handler(sig).unwrap_err();
        assert_eq!(error.type_name(), "ValueError");
    }
    let error = event_loop
        .add_signal_handler(libc::SIGKILL, || ())
        .unwrap_err();
    assert_eq!(error.type_name(), "RuntimeError");
    assert_eq!(error.to_string(), "sig 9 cannot be caught");
    assert!(!event_loop.remove_signal_handler(libc::SIGKILL).unwrap());

    let stop = event_loop.clone();
    event_loop
        .add_signal_handler(libc::SIGINT, move || stop.stop())
        .unwrap();
    raise(Signal::SIGINT).unwrap();
    event_loop.run_forever().unwrap();
    assert!(event_loop.remove_signal_handler(libc::SIGINT).unwrap());
    assert!(matches!(current(Signal::SIGINT), SigHandler::SigDfl));
    assert!(!event_loop.remove_signal_handler(libc::SIGINT).unwrap());
    // The system has more signals than names for them.
    event_loop
        .add_signal_handler(libc::SIGRTMAX(), || ())
        .unwrap();
    event_loop.close().unwrap();
    let closed = event_loop.add_signal_handler(libc::SIGTERM, || ());
    assert_eq!(closed.unwrap_err().to_string(), "Event loop is closed");
    ExitCode::SUCCESS
}

fn threads() -> ExitCode {
    std::thread::spawn(|| {
        let event_loop = new_event_loop();
        let added = event_loop.add_signal_handler(libc::SIGTERM, || ());
        assert_eq!(added.unwrap_err().type_name(), "RuntimeError");
        assert!(matches!(current(Signal::SIGTERM), SigHandler::SigDfl));
        event_loop.close().unwrap();
    })
    .join()
    .unwrap();
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_signal_handling_while_selecting
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_signal_handling_args
fn sleeping() -> ExitCode {
    let event_loop = new_event_loop();
    let (stop, arg) = (event_loop.clone(), 42);
    event_loop
        .add_signal_handler(libc::SIGALRM, move || {
            println!("alarm {arg}");
            stop.stop();
        })
        .unwrap();
    let late = Rc::new(Cell::new(false));
    let (stop, is_late) = (event_loop.clone(), late.clone());
    event_loop
        .call_later(50, move || {
            is_late.set(true);
            stop.stop();
        })
        .unwrap();
    // Any thread may take the signal, which has to end the sleep of this one.
    let killer = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(20));
        kill(getpid(), Signal::SIGALRM).unwrap();
    });
    event_loop.run_forever().unwrap();
    assert!(!late.get());
    killer.join().unwrap();
    event_loop.close().unwrap();
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopSignalTests::test_add_signal_handler
fn replaced() -> ExitCode {
    let event_loop = new_event_loop();
    let stop = event_loop.clone();
    event_loop
        .add_signal_handler(libc::SIGHUP, || println!("first"))
        .unwrap();
    event_loop
        .add_signal_handler(libc::SIGHUP, move || {
            println!("second");
            stop.stop();
        })
        .unwrap();
    raise(Signal::SIGHUP).unwrap();
    event_loop.run_forever().unwrap();
    assert!(event_loop.remove_signal_handler(libc::SIGHUP).unwrap());
    assert!(matches!(current(Signal::SIGHUP), SigHandler::SigDfl));
    event_loop.close().unwrap();
    ExitCode::SUCCESS
}

/// How often [`count`] was called.
static COUNT: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_signal: i32) {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopSignalTests::test_remove_signal_handler
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopSignalTests::test_remove_signal_handler_2
fn restores() -> ExitCode {
    set(Signal::SIGHUP, SigHandler::Handler(count));
    set(Signal::SIGINT, SigHandler::SigIgn);
    let event_loop = new_event_loop();
    for sig in [libc::SIGHUP, libc::SIGINT] {
        event_loop.add_signal_handler(sig, || ()).unwrap();
    }
    raise(Signal::SIGHUP).unwrap();
    assert_eq!(COUNT.load(Ordering::Relaxed), 0);
    assert!(event_loop.remove_signal_handler(libc::SIGHUP).unwrap());
    raise(Signal::SIGHUP).unwrap();
    assert_eq!(COUNT.load(Ordering::Relaxed), 1);
    // The other one is still there.
    let stop = event_loop.clone();
    event_loop
        .add_signal_handler(libc::SIGINT, move || stop.stop())
        .unwrap();
    raise(Signal::SIGINT).unwrap();
    event_loop.run_forever().unwrap();
    assert!(event_loop.remove_signal_handler(libc::SIGINT).unwrap());
    assert!(matches!(current(Signal::SIGINT), SigHandler::SigIgn));
    event_loop.close().unwrap();
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopSignalTests::test_close
fn closes() -> ExitCode {
    let event_loop = new_event_loop();
    for sig in [libc::SIGHUP, libc::SIGCHLD] {
        event_loop.add_signal_handler(sig, || ()).unwrap();
    }
    event_loop.close().unwrap();
    for signal in [Signal::SIGHUP, Signal::SIGCHLD] {
        assert!(matches!(current(signal), SigHandler::SigDfl));
    }
    ExitCode::SUCCESS
}

fn nobody() -> ExitCode {
    let event_loop = new_event_loop();
    event_loop.add_signal_handler(libc::SIGHUP, || ()).unwrap();
    raise(Signal::SIGHUP).unwrap();
    event_loop.remove_signal_handler(libc::SIGHUP).unwrap();
    // A loop that never sleeps would be on the processor nearly all the time.
    let before = processor_time();
    event_loop.run_until_complete(sleep(0.4)).unwrap();
    assert!(processor_time() - before < 20);
    event_loop.close().unwrap();
    ExitCode::SUCCESS
}

/// How long this thread was on the processor, in hundredths of a second.
fn processor_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let times = stat.split(' ').skip(13).take(2);
    times.map(|time| time.parse::<u64>().unwrap()).sum()
}

fn forks() -> ExitCode {
    asyncio::run(async {
        let event_loop = get_running_loop()?;
        let parents = Rc::new(Cell::new(0));
        let told = parents.clone();
        event_loop.add_signal_handler(libc::SIGTERM, move || told.set(told.get() + 1))?;
        // SAFETY: the process has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => std::process::exit(child()),
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None)?, WaitStatus::Exited(child, 0));
            }
        }
        // The parent's loop works on, and has heard of its own signal alone.
        raise(Signal::SIGTERM)?;
        while parents.get() == 0 {
            sleep(0.001).await?;
        }
        sleep(0.01).await?;
        assert_eq!(parents.get(), 1);
        Ok(())
    })
    .unwrap();
    ExitCode::SUCCESS
}

/// What a child does that its parent shall not hear of: it has no loop, and then one of its own.
fn child() -> i32 {
    assert!(get_running_loop().is_err());
    raise(Signal::SIGTERM).unwrap();
    let answer = asyncio::run(async {
        let event_loop = get_running_loop()?;
        let future = event_loop.create_future();
        let done = future.clone();
        event_loop.add_signal_handler(libc::SIGTERM, move || done.set_result(42))?;
        raise(Signal::SIGTERM)?;
        future.await
    });
    i32::from(answer.unwrap() != 42)
}

/// Has `signal` do this.
pub(crate) fn set(signal: Signal, handler: SigHandler) -> SigAction {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handlers of these programs touch nothing but atomics.
    unsafe { sigaction(signal, &action) }.unwrap()
}

/// What `signal` does.
pub(crate) fn current(signal: Signal) -> SigHandler {
    let action = set(signal, SigHandler::SigDfl);
    // SAFETY: it was in force a moment ago.
    unsafe { sigaction(signal, &action) }.unwrap();
    action.handler()
}
