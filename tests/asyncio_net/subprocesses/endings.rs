//! How a child ends, and who waits for that.

use hilos::asyncio::subprocess::PIPE;
use hilos::asyncio::{self, SubprocessProtocol};

use super::{NONE, blocked, exists};
use crate::support::{fails, run, until};

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_kill
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_terminate
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_send_signal
#[test]
fn a_signal_ends_a_child_and_is_its_exit_code() {
    run(async {
        let process = blocked().await?;
        process.kill()?;
        assert_eq!(process.wait().await?, -libc::SIGKILL);
        let process = blocked().await?;
        process.terminate()?;
        assert_eq!(process.wait().await?, -libc::SIGTERM);
        let process = blocked().await?;
        fails(process.send_signal(1000), "OSError");
        process.send_signal(libc::SIGUSR1)?;
        assert_eq!(process.wait().await?, -libc::SIGUSR1);
        assert!(!exists(process.pid()));
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_kill_issue43884
#[test]
fn a_shell_that_is_killed_is_waited_for_though_its_child_lives() {
    run(async {
        let shell = asyncio::create_subprocess_shell("sleep 3600 & echo $!; wait");
        let process = shell.with_stdout(PIPE).await?;
        let line = process.stdout().unwrap().readline().await?;
        let grandchild: i32 = String::from_utf8(line)?.trim().parse()?;
        process.kill()?;
        // The grandchild keeps the pipe open.
        assert_eq!(process.wait().await?, -libc::SIGKILL);
        assert!(exists(grandchild));
        let pid = nix::unistd::Pid::from_raw(grandchild);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL)?;
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_subprocess_send_signal_race
#[test]
fn a_signal_to_a_child_that_has_ended_does_nothing_or_says_so() {
    run(async {
        let process = asyncio::create_subprocess_exec("true", NONE).await?;
        let pid = process.pid();
        until(|| {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        })
        .await?;
        process.wait().await?;
        asyncio::sleep(0.01).await?;
        fails(process.kill(), "ProcessLookupError");
        fails(process.terminate(), "ProcessLookupError");
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_cancel_process_wait
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_subprocess_concurrent_wait
#[test]
fn several_tasks_wait_and_one_may_be_cancelled() {
    run(async {
        let process = blocked().await?;
        let wait = || {
            let process = process.clone();
            asyncio::create_task(async move { process.wait().await })
        };
        let (first, second, third) = (wait(), wait(), wait());
        asyncio::sleep(0).await?;
        first.cancel();
        asyncio::sleep(0).await?;
        assert!(first.cancelled());
        assert_eq!(process.returncode(), None);
        process.kill()?;
        assert_eq!(second.await?, -libc::SIGKILL);
        assert_eq!(third.await?, -libc::SIGKILL);
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_close_kill_running
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_close_dont_kill_finished
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_cancel_make_subprocess_transport_exec
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_cancel_post_init
#[test]
fn a_child_goes_with_its_transport_and_with_the_loop() {
    struct Nothing;
    impl SubprocessProtocol for Nothing {}
    let pid = run(async {
        let event_loop = asyncio::get_running_loop()?;
        let spawn = event_loop.subprocess_exec(|| Nothing, "sleep", ["3600"]);
        let (transport, _) = spawn.await?;
        assert!(exists(transport.get_pid()));
        transport.close();
        assert!(transport.is_closing());
        until(|| transport.get_returncode().is_some()).await?;
        assert_eq!(transport.get_returncode(), Some(-libc::SIGKILL));

        // Cancelled while it is started.
        let start = async { blocked().await.map(|process| process.pid()) };
        let starting = asyncio::create_task(start);
        asyncio::sleep(0).await?;
        starting.cancel();
        assert!(starting.await.unwrap_err().is_cancelled());
        Ok(blocked().await?.pid())
    });
    assert!(!exists(pid));
}
