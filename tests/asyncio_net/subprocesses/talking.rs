//! What is written to a child and read from it.

use hilos::asyncio::subprocess::{PIPE, Process};
use hilos::asyncio::{self, Result};

use super::{NONE, cat};
use crate::support::{run, until};

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
