//! A5, subprocesses and pipes: a command's output, a filter that is fed, and one that is killed.
//!
//! Run: cargo run --release --example asyncio_subprocess

use std::io::Write;

use hilos::asyncio::subprocess::PIPE;
use hilos::asyncio::{self, Protocol, Result};

async fn run(cmd: &str) -> Result<()> {
    let create = asyncio::create_subprocess_shell(cmd)
        .with_stdout(PIPE)
        .with_stderr(PIPE);
    let proc = create.await?;
    let (stdout, stderr) = proc.communicate(None).await?;
    println!(
        "[{cmd:?} exited with {}]",
        proc.returncode().unwrap_or_default()
    );
    print!("[stdout]\n{}", String::from_utf8_lossy(&stdout));
    print!("[stderr]\n{}", String::from_utf8_lossy(&stderr));
    assert_eq!(proc.returncode(), Some(2));
    assert_eq!(
        (stdout.as_slice(), stderr.as_slice()),
        (b"out\n".as_slice(), b"err\n".as_slice())
    );
    Ok(())
}

/// Feeds a filter line by line, and reads what it makes of them.
async fn filter() -> Result<()> {
    let create = asyncio::create_subprocess_exec("sort", ["-n"]);
    let proc = create.with_stdin(PIPE).with_stdout(PIPE).await?;
    if let Some(stdin) = proc.stdin() {
        for number in [3, 1, 2] {
            stdin.write(format!("{number}\n"))?;
            stdin.drain().await?;
        }
        stdin.close();
    }
    let mut lines = Vec::new();
    if let Some(stdout) = proc.stdout() {
        while let Some(line) = stdout.next().await? {
            lines.push(String::from_utf8_lossy(&line).trim().to_owned());
        }
    }
    println!("sorted: {lines:?}");
    assert_eq!(lines, ["1", "2", "3"]);
    assert_eq!(proc.wait().await?, 0);
    Ok(())
}

/// Ends a child that takes too long.
async fn too_slow() -> Result<()> {
    let proc = asyncio::create_subprocess_exec("sleep", ["3600"]).await?;
    match asyncio::wait_for(proc.wait(), 0.05).await {
        Err(exception) if exception.is_timeout() => {
            println!("timeout! the child is killed");
            proc.kill()?;
        }
        other => drop(other?),
    }
    let returncode = proc.wait().await?;
    println!("its exit code is {returncode}");
    assert_eq!(returncode, -9);
    Ok(())
}

/// Reads from a pipe that a thread writes to.
async fn pipe() -> Result<()> {
    struct Printer(asyncio::Queue<Vec<u8>>);
    impl Protocol for Printer {
        fn data_received(&self, data: &[u8]) -> Result<()> {
            self.0.put_nowait(data.to_vec())
        }
    }
    let (reader, mut writer) = std::io::pipe()?;
    let received = asyncio::Queue::new(0);
    let printer = Printer(received.clone());
    let event_loop = asyncio::get_running_loop()?;
    let (transport, _) = event_loop
        .connect_read_pipe(move || printer, reader)
        .await?;
    asyncio::try_to_thread(move || writer.write_all(b"from a thread")).await?;
    let data = received.get().await?;
    println!("through the pipe: {}", String::from_utf8_lossy(&data));
    assert_eq!(data, b"from a thread");
    transport.close();
    Ok(())
}

fn main() -> Result<()> {
    asyncio::run(async {
        run("echo out; echo err >&2; exit 2").await?;
        filter().await?;
        too_slow().await?;
        pipe().await
    })
}
