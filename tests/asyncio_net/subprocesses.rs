//! `create_subprocess_exec`, `create_subprocess_shell` and `Process`.

use std::cell::RefCell;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::rc::Rc;

use hilos::asyncio::subprocess::{DEVNULL, PIPE, Process, STDOUT};
use hilos::asyncio::{self, Exception, Result, SubprocessProtocol, SubprocessTransport};

use crate::support::{Log, fails, run, until};

const NONE: [&str; 0] = [];

/// A child that reads its input and writes it back.
async fn cat() -> Result<Process> {
    let cat = asyncio::create_subprocess_exec("cat", NONE);
    cat.with_stdin(PIPE).with_stdout(PIPE).await
}

/// A child that runs until it is ended.
async fn blocked() -> Result<Process> {
    asyncio::create_subprocess_exec("sleep", ["3600"]).await
}

fn exists(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_stdin_stdout
#[test]
fn a_child_is_written_to_and_read_from() {
    run(async {
        let process = cat().await?;
        let stdin = process.stdin().unwrap();
        stdin.write(b"some data")?;
        stdin.drain().await?;
        stdin.close();
        let data = process.stdout().unwrap().read_to_end().await?;
        assert_eq!(data, b"some data");
        assert_eq!(process.wait().await?, 0);
        assert_eq!(process.to_string(), format!("<Process {}>", process.pid()));
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_communicate
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_communicate_none_input
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_empty_input
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_subprocess_communicate_stdout
#[test]
fn communicate_writes_reads_and_waits() {
    run(async {
        let data = vec![b'x'; 1 << 20];
        let process = cat().await?;
        let (stdout, stderr) = process.communicate(data.as_slice()).await?;
        assert!(stdout == data);
        assert_eq!(stderr, b"");
        assert_eq!(process.returncode(), Some(0));
        assert_eq!(cat().await?.communicate(None).await?.0, b"");
        assert_eq!(cat().await?.communicate(b"".as_slice()).await?.0, b"");
        let both = asyncio::create_subprocess_shell("echo out; echo err >&2; exit 3");
        let process = both.with_stdout(PIPE).with_stderr(PIPE).await?;
        let output = process.communicate(None).await?;
        assert_eq!(output, (b"out\n".to_vec(), b"err\n".to_vec()));
        assert_eq!(process.returncode(), Some(3));
        Ok(())
    });
}

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

/// A child that reads nothing and ends.
async fn deaf() -> Result<Process> {
    let deaf = asyncio::create_subprocess_exec("true", NONE);
    deaf.with_stdin(PIPE).await
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_stdin_broken_pipe
// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_communicate_ignore_broken_pipe
#[test]
fn a_child_that_does_not_listen_breaks_the_pipe() {
    run(async {
        let large = vec![b'x'; 1 << 20];
        let process = deaf().await?;
        let stdin = process.stdin().unwrap();
        stdin.write(&large)?;
        until(|| stdin.is_closing()).await?;
        // The pipe tells its transport, and that the process.
        asyncio::sleep(0).await?;
        asyncio::sleep(0).await?;
        let exception = stdin.drain().await.unwrap_err();
        let names = ["BrokenPipeError", "ConnectionResetError"];
        assert!(names.contains(&exception.type_name()), "{exception:?}");
        process.wait().await?;

        let process = deaf().await?;
        process.communicate(large.as_slice()).await?;
        assert_eq!(process.returncode(), Some(0));
        Ok(())
    });
}

#[test]
fn a_child_that_has_ended_has_no_more_to_say() {
    run(async {
        let process = cat().await?;
        assert_eq!(process.communicate(b"a".as_slice()).await?.0, b"a");
        assert_eq!(process.communicate(None).await?.0, b"");
        assert_eq!(process.communicate(b"z".as_slice()).await?.0, b"");
        assert_eq!(process.wait().await?, 0);
        Ok(())
    });
}

#[test]
fn a_child_that_takes_its_time_may_be_talked_to_later() {
    run(async {
        let sleep = asyncio::create_subprocess_exec("sleep", ["3600"]);
        let process = sleep.with_stdin(PIPE).await?;
        let talking = process.clone();
        let talk = async move { talking.communicate(vec![0; 1 << 20].as_slice()).await };
        let result = asyncio::wait_for(talk, 0.01).await;
        assert!(result.unwrap_err().is_timeout());
        assert!(!process.stdin().unwrap().is_closing());
        process.kill()?;
        process.wait().await?;
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

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_read_stdout_after_process_exit
#[test]
fn what_a_child_wrote_is_read_after_its_end() {
    run(async {
        let script = "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; done";
        let shell = asyncio::create_subprocess_shell(script).with_stdout(PIPE);
        let process = shell.with_limit(1).await?;
        let reader = process.stdout().unwrap();
        assert_eq!(process.wait().await?, 0);
        let text = String::from_utf8(reader.read_to_end().await?)?;
        let lines: Vec<_> = (1..=10).map(|i| format!("{i}\n")).collect();
        assert_eq!(text, lines.concat());
        Ok(())
    });
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_pause_reading
#[test]
fn a_child_that_writes_much_waits_for_its_reader() {
    run(async {
        let yes = asyncio::create_subprocess_shell("head -c 10000000 /dev/zero");
        let process = yes.with_stdout(PIPE).with_limit(1000).await?;
        let reader = process.stdout().unwrap();
        asyncio::sleep(0.05).await?;
        assert!(reader.to_string().contains(" paused"), "{reader}");
        assert_eq!(process.returncode(), None);
        assert_eq!(reader.read_to_end().await?.len(), 10_000_000);
        assert_eq!(process.wait().await?, 0);
        Ok(())
    });
}

#[test]
fn a_child_that_is_killed_in_mid_line_leaves_what_it_wrote() {
    run(async {
        let shell = asyncio::create_subprocess_shell("printf 'half a line'; exec sleep 3600");
        let process = shell.with_stdout(PIPE).await?;
        let reader = process.stdout().unwrap();
        assert_eq!(reader.readexactly(4).await?, b"half");
        process.kill()?;
        assert_eq!(reader.readline().await?, b" a line");
        assert!(reader.at_eof());
        assert_eq!(process.wait().await?, -libc::SIGKILL);
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

/// Writes down what it is called with.
#[derive(Default)]
struct Recorder {
    log: RefCell<Vec<String>>,
    lost: RefCell<Option<asyncio::Future<()>>>,
}

impl SubprocessProtocol for Recorder {
    fn connection_made(&self, transport: &SubprocessTransport) -> Result<()> {
        assert!(transport.get_pipe_transport(0).is_none());
        assert!(transport.get_pipe_transport(1).is_some());
        self.log.borrow_mut().push("made".to_owned());
        Ok(())
    }

    fn pipe_data_received(&self, fd: i32, data: &[u8]) -> Result<()> {
        let data = String::from_utf8_lossy(data);
        self.log.borrow_mut().push(format!("data {fd} {data}"));
        Ok(())
    }

    fn pipe_connection_lost(&self, fd: i32, exc: Option<&Exception>) -> Result<()> {
        assert!(exc.is_none());
        self.log.borrow_mut().push(format!("pipe lost {fd}"));
        Ok(())
    }

    fn process_exited(&self) -> Result<()> {
        self.log.borrow_mut().push("exited".to_owned());
        Ok(())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        assert!(exc.is_none());
        self.log.borrow_mut().push("lost".to_owned());
        let lost = self.lost.take();
        lost.unwrap().set_result(())
    }
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_subprocess_protocol_events
// cpython: test_asyncio/test_protocols.py::ProtocolsAbsTests::test_subprocess_protocol
#[test]
fn a_protocol_is_told_what_a_child_does() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let recorder = Rc::new(Recorder::default());
        let lost = event_loop.create_future();
        *recorder.lost.borrow_mut() = Some(lost.clone());
        let protocol = recorder.clone();
        let shell = event_loop.subprocess_shell(move || protocol, "echo out; echo err >&2");
        let (transport, _) = shell.with_stdin(DEVNULL).await?;
        lost.await?;
        assert_eq!(transport.get_returncode(), Some(0));
        assert!(transport.get_protocol().is_none());
        let mut log = recorder.log.take();
        assert_eq!(log.first().unwrap(), "made");
        assert_eq!(log.last().unwrap(), "lost");
        let place = |what: &str| log.iter().position(|line| line == what).unwrap();
        assert!(place("data 1 out\n") < place("pipe lost 1"));
        assert!(place("data 2 err\n") < place("pipe lost 2"));
        log.sort();
        let all = [
            "data 1 out\n",
            "data 2 err\n",
            "exited",
            "lost",
            "made",
            "pipe lost 1",
            "pipe lost 2",
        ];
        assert_eq!(log, all);
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
