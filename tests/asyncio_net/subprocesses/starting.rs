//! How a child is started, and what it is given.

use std::os::unix::process::CommandExt;
use std::path::Path;

use hilos::asyncio::subprocess::{DEVNULL, PIPE, STDOUT};
use hilos::asyncio::{self};

use super::{NONE, cat};
use crate::support::{Log, fails, run};

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_shell
#[test]
fn a_shell_runs_a_command() {
    run(async {
        let process = asyncio::create_subprocess_shell("exit 7").await?;
        assert_eq!(process.wait().await?, 7);
        assert!(process.stdin().is_none() && process.stdout().is_none());
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_start_new_session
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_create_subprocess_env_shell
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_create_subprocess_env_exec
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_create_subprocess_exec_with_path
#[test]
fn what_is_started_can_be_changed() {
    run(async {
        let pwd = asyncio::create_subprocess_exec(Path::new("/bin/sh"), ["-c", "pwd; echo $FOO"]);
        let pwd = pwd.with_command(|command| {
            command.current_dir("/").env("FOO", "bar").process_group(0);
        });
        let (output, _) = pwd.with_stdout(PIPE).await?.communicate(None).await?;
        assert_eq!(output, b"/\nbar\n");
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_devnull_input
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_devnull_output
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_devnull_error
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_devstdin_input
#[test]
fn streams_go_where_they_are_sent() {
    run(async {
        let wc = asyncio::create_subprocess_exec("wc", ["-c"]);
        let process = wc.with_stdin(DEVNULL).with_stdout(PIPE).await?;
        assert_eq!(process.communicate(None).await?.0.trim_ascii(), b"0");

        let both = asyncio::create_subprocess_shell("echo out; echo err >&2");
        let process = both.with_stdout(PIPE).with_stderr(STDOUT).await?;
        assert_eq!(process.communicate(None).await?.0, b"out\nerr\n");
        assert!(process.stderr().is_none());

        let both = asyncio::create_subprocess_shell("echo out; echo err >&2");
        let process = both.with_stdout(DEVNULL).with_stderr(PIPE).await?;
        assert_eq!(process.communicate(None).await?.1, b"err\n");

        // Errors go where the output goes, wherever that is.
        let script = "[ $(readlink /proc/$$/fd/2) = /dev/null ]";
        let none = asyncio::create_subprocess_shell(script).with_stdout(DEVNULL);
        assert_eq!(none.with_stderr(STDOUT).await?.wait().await?, 0);

        let (reader, writer) = std::io::pipe()?;
        let echo = asyncio::create_subprocess_exec("echo", ["to a file"]);
        let process = echo.with_stdout(std::os::fd::OwnedFd::from(writer)).await?;
        assert_eq!(process.wait().await?, 0);
        assert_eq!(std::io::read_to_string(reader)?, "to a file\n");

        let wrong = asyncio::create_subprocess_exec("true", NONE)
            .with_stdin(STDOUT)
            .await;
        fails(wrong.map(drop), "ValueError");
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_stdin_not_inheritable
#[test]
fn a_child_has_none_of_the_pipes_to_another() {
    run(async {
        let first = cat().await?;
        let second = cat().await?;
        // If the second had the first's input, its end would not come.
        first.stdin().unwrap().close();
        assert_eq!(first.wait().await?, 0);
        second.stdin().unwrap().close();
        assert_eq!(second.wait().await?, 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_popen_error
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_popen_error_with_stdin_pipe
#[test]
fn a_program_that_is_not_there_is_an_error() {
    run(async {
        let create = || asyncio::create_subprocess_exec("/no/such/program", NONE);
        fails(create().await.map(drop), "FileNotFoundError");
        // If the pipes stayed open, there would be no more of them long before the end.
        for _ in 0..2000 {
            let create = create().with_stdin(PIPE).with_stdout(PIPE).await;
            fails(create.map(drop), "FileNotFoundError");
        }
        let create = asyncio::create_subprocess_exec("/etc/passwd", NONE).await;
        fails(create.map(drop), "PermissionError");
        Ok(())
    });
}

/// The children of the current thread, with those that nobody has waited for.
fn children() -> std::io::Result<String> {
    std::fs::read_to_string("/proc/thread-self/children")
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_subprocess_read_pipe_cancelled
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_subprocess_write_pipe_cancelled
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_subprocess_read_write_pipe_cancelled
#[test]
fn a_child_whose_start_is_cancelled_leaves_nothing() {
    run(async {
        for (reads, writes) in [(true, false), (false, true), (true, true)] {
            let mut cancelled = 0;
            // Wherever it waits: after so many rounds of the loop.
            for rounds in 1.. {
                let mut sleep = asyncio::create_subprocess_exec("sleep", ["3600"]);
                if reads {
                    sleep = sleep.with_stdout(PIPE).with_stderr(PIPE);
                }
                if writes {
                    sleep = sleep.with_stdin(PIPE);
                }
                let starting = asyncio::create_task(async move { sleep.await });
                for _ in 0..rounds {
                    asyncio::sleep(0).await?;
                }
                if !starting.cancel() {
                    let process = starting.await?;
                    process.kill()?;
                    process.wait().await?;
                    break;
                }
                assert!(starting.await.map(drop).unwrap_err().is_cancelled());
                assert_eq!(children()?, "");
                cancelled += 1;
            }
            assert!(cancelled > 0);
        }
        Ok(())
    });
}

#[test]
fn a_hundred_children_at_once() {
    run(async {
        let log = Log::new();
        let children = (0..100).map(|i| {
            let log = log.clone();
            async move {
                let echo = asyncio::create_subprocess_exec("echo", [i.to_string()]);
                let (output, _) = echo.with_stdout(PIPE).await?.communicate(None).await?;
                assert_eq!(output, format!("{i}\n").into_bytes());
                log.push(i);
                Ok(())
            }
        });
        asyncio::gather(children.collect::<Vec<_>>()).await?;
        assert_eq!(log.len(), 100);
        Ok(())
    });
}
