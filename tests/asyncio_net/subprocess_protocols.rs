//! `subprocess_exec`, `subprocess_shell` and `SubprocessProtocol`.

use std::cell::{Cell, RefCell};
use std::os::unix::process::CommandExt;
use std::rc::Rc;

use hilos::asyncio::subprocess::{STDOUT, Stdio};
use hilos::asyncio::{self, Exception, Result, SubprocessProtocol, SubprocessTransport};

use crate::support::{fails, run, until};

const NONE: [&str; 0] = [];

/// Keeps what a child writes, and how it ends.
#[derive(Default)]
struct Child {
    transport: RefCell<Option<SubprocessTransport>>,
    data: [RefCell<Vec<u8>>; 3],
    lost: [Cell<bool>; 3],
    returncode: Cell<Option<i32>>,
    completed: Cell<bool>,
}

impl Child {
    fn data(&self, fd: usize) -> String {
        String::from_utf8_lossy(&self.data[fd].borrow()).into_owned()
    }

    async fn has(&self, fd: usize, text: &str) -> Result<()> {
        until(|| self.data(fd).len() >= text.len()).await?;
        assert_eq!(self.data(fd), text);
        Ok(())
    }

    /// Waits for the end, and returns the exit code.
    async fn end(&self) -> Result<i32> {
        until(|| self.completed.get()).await?;
        Ok(self.returncode.get().unwrap())
    }
}

impl SubprocessProtocol for Child {
    fn connection_made(&self, transport: &SubprocessTransport) -> Result<()> {
        assert!(self.transport.borrow().is_none());
        *self.transport.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn pipe_data_received(&self, fd: i32, data: &[u8]) -> Result<()> {
        assert!(self.transport.borrow().is_some() && !self.completed.get());
        self.data[usize::try_from(fd)?].borrow_mut().extend(data);
        Ok(())
    }

    fn pipe_connection_lost(&self, fd: i32, exc: Option<&Exception>) -> Result<()> {
        assert!(self.transport.borrow().is_some() && !self.completed.get());
        assert!(fd == 0 || exc.is_none(), "{exc:?}");
        assert!(!self.lost[usize::try_from(fd)?].replace(true));
        Ok(())
    }

    fn process_exited(&self) -> Result<()> {
        assert!(self.returncode.get().is_none() && !self.completed.get());
        let transport = self.transport.borrow();
        self.returncode
            .set(transport.as_ref().unwrap().get_returncode());
        Ok(())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        assert!(exc.is_none() && self.returncode.get().is_some());
        assert!(!self.completed.replace(true));
        Ok(())
    }
}

/// A child that writes back what it reads.
async fn echo() -> Result<(SubprocessTransport, Rc<Child>)> {
    let event_loop = asyncio::get_running_loop()?;
    let (transport, child) = event_loop
        .subprocess_exec(Child::default, "cat", NONE)
        .await?;
    assert!(child.transport.borrow().is_some());
    Ok((transport, child))
}

async fn shell(script: &str) -> Result<(SubprocessTransport, Rc<Child>)> {
    let event_loop = asyncio::get_running_loop()?;
    event_loop.subprocess_shell(Child::default, script).await
}

// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_exec
// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_interactive
#[test]
fn a_child_answers_until_its_transport_is_closed() {
    run(async {
        let (transport, child) = echo().await?;
        let pid = transport.get_pid();
        let pipe = |fd| transport.get_pipe_transport(fd).unwrap();
        let pipes = format!("stdin={} stdout={} stderr={}", pipe(0), pipe(1), pipe(2));
        let shown = format!("<_UnixSubprocessTransport pid={pid} running {pipes}>");
        assert_eq!(transport.to_string(), shown);
        let stdin = transport.get_pipe_transport(0).unwrap();
        stdin.write(b"Python ")?;
        child.has(1, "Python ").await?;
        stdin.write(b"The Winner")?;
        child.has(1, "Python The Winner").await?;
        transport.close();
        assert_eq!(child.end().await?, -libc::SIGKILL);
        assert!(child.lost.iter().all(Cell::get));
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_shell
#[test]
fn a_command_ends_by_itself() {
    run(async {
        let (transport, child) = shell("echo Python").await?;
        transport.get_pipe_transport(0).unwrap().close();
        assert_eq!(child.end().await?, 0);
        assert!(child.lost.iter().all(Cell::get));
        assert_eq!(
            (child.data(1), child.data(2)),
            ("Python\n".into(), "".into())
        );
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_exitcode
// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_close_after_finish
// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_wait_no_same_group
// cpython: test_asyncio/test_subprocess.py::SubprocessTransportTests::test_proc_exited
#[test]
fn a_child_without_pipes_tells_its_exit_code() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let shell = event_loop
            .subprocess_shell(Child::default, "exit 7")
            .with_stdin(Stdio::Inherit)
            .with_stdout(Stdio::Inherit)
            .with_stderr(Stdio::Inherit)
            .with_command(|command| {
                command.process_group(0);
            });
        let (transport, child) = shell.await?;
        assert!((0..3).all(|fd| transport.get_pipe_transport(fd).is_none()));
        assert!(transport.get_pipe_transport(3).is_none());
        assert_eq!(child.end().await?, 7);
        assert_eq!(transport.get_returncode(), Some(7));
        assert!(!transport.is_closing() && transport.get_protocol().is_none());
        for refused in [
            transport.send_signal(libc::SIGTERM),
            transport.terminate(),
            transport.kill(),
        ] {
            fails(refused, "ProcessLookupError");
        }
        transport.close();
        transport.close();
        assert!(transport.is_closing());
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_kill
// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_terminate
// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_send_signal
#[test]
fn a_signal_ends_a_child_and_its_pipes() {
    run(async {
        let (transport, child) = echo().await?;
        transport.kill()?;
        assert_eq!(child.end().await?, -libc::SIGKILL);
        transport.close();
        let (transport, child) = echo().await?;
        transport.terminate()?;
        assert_eq!(child.end().await?, -libc::SIGTERM);
        transport.close();
        let (transport, child) = echo().await?;
        transport.send_signal(libc::SIGHUP)?;
        assert_eq!(child.end().await?, -libc::SIGHUP);
        transport.close();
        Ok(())
    });
}

/// Writes once what it reads to both of its outputs.
const TWICE: &str = r#"x=$(head -c 4); printf "OUT:$x"; printf "ERR:$x" >&2"#;

// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_stderr
// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_stderr_redirect_to_stdout
#[test]
fn errors_have_a_pipe_of_their_own_unless_they_share_one() {
    run(async {
        let (transport, child) = shell(TWICE).await?;
        transport.get_pipe_transport(0).unwrap().write(b"test")?;
        assert_eq!(child.end().await?, 0);
        assert_eq!(
            (child.data(1), child.data(2)),
            ("OUT:test".into(), "ERR:test".into())
        );
        transport.close();

        let event_loop = asyncio::get_running_loop()?;
        let shell = event_loop.subprocess_shell(Child::default, TWICE);
        let (transport, child) = shell.with_stderr(STDOUT).await?;
        assert!(transport.get_pipe_transport(1).is_some());
        assert!(transport.get_pipe_transport(2).is_none());
        transport.get_pipe_transport(0).unwrap().write(b"test")?;
        assert_eq!(child.end().await?, 0);
        assert_eq!(
            (child.data(1), child.data(2)),
            ("OUT:testERR:test".into(), "".into())
        );
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::SubprocessTestsMixin::test_subprocess_close_client_stream
#[test]
fn a_child_notices_that_nobody_reads_it() {
    let script = "trap '' PIPE; while read -r x; do \
                  printf \"OUT:$x\" 2>/dev/null || printf \"ERR:$x\" >&2; done";
    run(async move {
        let (transport, child) = shell(script).await?;
        let stdin = transport.get_pipe_transport(0).unwrap();
        let stdout = transport.get_pipe_transport(1).unwrap();
        stdin.write(b"test\n")?;
        child.has(1, "OUT:test").await?;
        stdout.close();
        until(|| child.lost[1].get()).await?;
        stdin.write(b"xxx\n")?;
        child.has(2, "ERR:xxx").await?;
        transport.close();
        assert_eq!(child.end().await?, -libc::SIGKILL);
        assert_eq!(child.data(1), "OUT:test");
        Ok(())
    });
}

#[test]
fn a_child_lives_without_its_pipes() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let sleep = event_loop.subprocess_exec(Child::default, "sleep", ["3600"]);
        let (transport, child) = sleep.await?;
        for fd in 0..3 {
            transport.get_pipe_transport(fd).unwrap().close();
        }
        until(|| child.lost.iter().all(Cell::get)).await?;
        assert!(child.returncode.get().is_none() && !child.completed.get());
        transport.kill()?;
        assert_eq!(child.end().await?, -libc::SIGKILL);

        // The child closes its ends itself.
        let (transport, child) = shell("exec 1>&- 2>&-; read -r x; exit 3").await?;
        until(|| child.lost[1].get() && child.lost[2].get()).await?;
        assert!(child.returncode.get().is_none() && !child.lost[0].get());
        transport.get_pipe_transport(0).unwrap().write(b"x\n")?;
        assert_eq!(child.end().await?, 3);
        assert!(child.lost[0].get() && !transport.is_closing());
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessTransportTests::test_proc_exited_no_invalid_state_error_on_exit_waiters
#[test]
fn a_child_ends_though_who_waited_for_it_was_cancelled() {
    run(async {
        let process = asyncio::create_subprocess_exec("cat", NONE)
            .with_stdin(asyncio::subprocess::PIPE)
            .await?;
        let waiting = process.clone();
        let waiting = asyncio::create_task(async move { waiting.wait().await });
        asyncio::sleep(0).await?;
        waiting.cancel();
        process.stdin().unwrap().close();
        assert_eq!(process.wait().await?, 0);
        assert!(waiting.await.unwrap_err().is_cancelled());
        Ok(())
    });
}
