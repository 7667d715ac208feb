//! What Ctrl-C does to `asyncio.run`.

use std::process::ExitCode;
use std::time::Duration;

use hilos::asyncio::{
    self, CancelledError, Runner, create_task, current_task, get_running_loop, sleep,
};
use nix::sys::signal::{SigHandler, Signal, kill, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, getpid};

use crate::driver::{Scenario, quiet};
use crate::handlers::{current, set};

pub(crate) const SCENARIOS: &[Scenario] = &[
    quiet("ctrl_c_cancels_and_then_ends_the_run", twice, TWICE),
    quiet(
        "ctrl_c_cancels_a_task_that_never_waits",
        call_soon,
        "cancelled\n",
    ),
    quiet("ctrl_c_cancels_what_the_task_waits_for", wait, ""),
    quiet("ctrl_c_is_one_of_several_cancellations", cancelled, ""),
    quiet("ctrl_c_may_be_caught", caught, "cleaned up\n7\n"),
    quiet("ctrl_c_ends_the_loops_sleep", sleeping, ""),
    quiet("ctrl_c_after_the_end_is_not_lost", late, ""),
    quiet("ctrl_c_is_the_systems_again_after_a_run", after, ""),
    quiet("ctrl_c_is_left_to_a_program_that_handles_it", others, ""),
    quiet(
        "a_loop_outside_the_main_thread_leaves_ctrl_c_alone",
        threads,
        "",
    ),
    quiet(
        "a_handler_of_the_loop_comes_before_the_run",
        handler,
        "handler\n",
    ),
    quiet("the_third_ctrl_c_ends_a_program_that_hangs", hangs, ""),
];

/// What CPython prints.
const TWICE: &str = "\
main 0
tick 0
first
after
cancelled 1
tick 1
second
KeyboardInterrupt
next run
next run too
tick 2
next run too
tick 3
tick 4
tick 5
ran again
";

fn interrupt() {
    raise(Signal::SIGINT).unwrap();
}

fn is_interrupt<T: std::fmt::Debug>(result: asyncio::Result<T>) {
    assert_eq!(result.unwrap_err().type_name(), "KeyboardInterrupt");
}

fn twice() -> ExitCode {
    let mut runner = Runner::new();
    let result = runner.run(async {
        let event_loop = get_running_loop()?;
        create_task(async {
            for i in 0..10 {
                println!("tick {i}");
                sleep(0).await?;
            }
            Ok(())
        });
        event_loop.call_soon(|| {
            println!("first");
            interrupt();
        })?;
        event_loop.call_soon(|| println!("after"))?;
        for i in 0..4 {
            println!("main {i}");
            if sleep(0).await.is_err() {
                println!("cancelled {}", current_task().unwrap().cancelling());
                break;
            }
        }
        event_loop.call_soon(|| {
            println!("second");
            interrupt();
        })?;
        event_loop.call_soon(|| println!("next run"))?;
        sleep(0).await?;
        println!("next run too");
        sleep(0).await?;
        println!("next run too");
        Ok(5)
    });
    println!("{}", result.unwrap_err().type_name());
    let again = runner.run(async {
        sleep(0).await?;
        sleep(0).with_result("ran again").await
    });
    println!("{}", again.unwrap());
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_runners.py::RunnerTests::test_interrupt_call_soon
fn call_soon() -> ExitCode {
    let mut runner = Runner::new();
    let event_loop = runner.get_loop().unwrap();
    event_loop.call_later(0.02, interrupt).unwrap();
    is_interrupt(runner.run(async {
        while sleep(0).await.is_ok() {}
        println!("cancelled");
        Err::<(), _>(CancelledError::default().into())
    }));
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_runners.py::RunnerTests::test_interrupt_wait
fn wait() -> ExitCode {
    let mut runner = Runner::new();
    let event_loop = runner.get_loop().unwrap();
    let future = event_loop.create_future::<()>();
    event_loop.call_later(0.02, interrupt).unwrap();
    let waited = future.clone();
    is_interrupt(runner.run(async move {
        assert!(waited.await.unwrap_err().is_cancelled());
        Err::<(), _>(CancelledError::default().into())
    }));
    assert!(future.cancelled());
    ExitCode::SUCCESS
}

// cpython: test_asyncio/test_runners.py::RunnerTests::test_interrupt_cancelled_task
fn cancelled() -> ExitCode {
    let result = asyncio::run(async {
        let task = current_task().unwrap();
        create_task(async move {
            sleep(0).await?;
            task.cancel();
            interrupt();
            Ok(())
        });
        sleep(10).await
    });
    assert!(result.unwrap_err().is_cancelled());
    ExitCode::SUCCESS
}

fn caught() -> ExitCode {
    let result = asyncio::run(async {
        get_running_loop()?.call_soon(interrupt)?;
        assert!(sleep(10).await.unwrap_err().is_cancelled());
        println!("cleaned up");
        sleep(0).with_result(7).await
    });
    println!("{}", result.unwrap());
    ExitCode::SUCCESS
}

fn sleeping() -> ExitCode {
    let started = std::time::Instant::now();
    is_interrupt(asyncio::run(async {
        // Any thread may take the signal, which has to end the sleep of this one.
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            kill(getpid(), Signal::SIGINT).unwrap();
        });
        sleep(50).await
    }));
    assert!(started.elapsed() < Duration::from_secs(50));
    ExitCode::SUCCESS
}

fn late() -> ExitCode {
    // There is nothing left to cancel: the run is interrupted all the same.
    is_interrupt(asyncio::run(async {
        interrupt();
        Ok(())
    }));
    ExitCode::SUCCESS
}

fn after() -> ExitCode {
    asyncio::run(async {
        assert!(matches!(current(Signal::SIGINT), SigHandler::Handler(_)));
        Ok(())
    })
    .unwrap();
    assert!(matches!(current(Signal::SIGINT), SigHandler::SigDfl));
    dies_of_sigint(interrupt);
    ExitCode::SUCCESS
}

fn others() -> ExitCode {
    set(Signal::SIGINT, SigHandler::SigIgn);
    asyncio::run(async {
        interrupt();
        sleep(0.01).await
    })
    .unwrap();
    assert!(matches!(current(Signal::SIGINT), SigHandler::SigIgn));
    ExitCode::SUCCESS
}

fn threads() -> ExitCode {
    let run = || {
        asyncio::run(async {
            assert!(matches!(current(Signal::SIGINT), SigHandler::SigDfl));
            Ok(())
        })
    };
    std::thread::spawn(run).join().unwrap().unwrap();
    ExitCode::SUCCESS
}

fn handler() -> ExitCode {
    asyncio::run(async {
        let event_loop = get_running_loop()?;
        let future = event_loop.create_future();
        let done = future.clone();
        event_loop.add_signal_handler(libc::SIGINT, move || done.set_result(()))?;
        interrupt();
        future.await?;
        println!("handler");
        Ok(())
    })
    .unwrap();
    // What the loop's handler had replaced was the run's.
    assert!(matches!(current(Signal::SIGINT), SigHandler::SigDfl));
    ExitCode::SUCCESS
}

fn hangs() -> ExitCode {
    dies_of_sigint(|| {
        let _ = asyncio::run(async {
            interrupt();
            interrupt();
            // The loop gets no chance to do anything about it.
            loop {
                interrupt();
            }
            #[allow(unreachable_code, reason = "it says the type")]
            Ok(())
        });
    });
    ExitCode::SUCCESS
}

/// Checks that `child` ends its process by Ctrl-C.
fn dies_of_sigint(child: impl FnOnce()) {
    // SAFETY: the process has one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            child();
            std::process::exit(0);
        }
        ForkResult::Parent { child } => {
            let end = WaitStatus::Signaled(child, Signal::SIGINT, false);
            assert_eq!(waitpid(child, None), Ok(end));
        }
    }
}
