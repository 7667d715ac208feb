//! `asyncio.subprocess.Process`.

use std::fmt;

use super::SubprocessTransport;
use super::streams::StreamProtocol;
use crate::exception::{Exception, Result};
use crate::gather;
use crate::repr::debug_like_display;
use crate::streams::{StreamReader, StreamWriter};

/// A child process.
///
/// [`create_subprocess_exec`](crate::create_subprocess_exec) returns one. A handle: clones are the
/// same process. A child that still runs when the loop is closed is killed.
///
/// Mirrors [`asyncio.subprocess.Process`](https://docs.python.org/3.14/library/asyncio-subprocess.html#asyncio.subprocess.Process).
#[derive(Clone)]
pub struct Process {
    transport: SubprocessTransport,
    stdin: Option<StreamWriter>,
    stdout: Option<StreamReader>,
    stderr: Option<StreamReader>,
}

impl Process {
    pub(super) fn new(transport: SubprocessTransport, protocol: &StreamProtocol) -> Self {
        Self {
            transport,
            stdin: protocol.stdin.borrow().clone(),
            stdout: protocol.output(1),
            stderr: protocol.output(2),
        }
    }

    /// The child's standard input, if it is a pipe.
    pub fn stdin(&self) -> Option<&StreamWriter> {
        self.stdin.as_ref()
    }

    /// The child's standard output, if it is a pipe.
    pub fn stdout(&self) -> Option<&StreamReader> {
        self.stdout.as_ref()
    }

    /// The child's standard errors, if they are a pipe.
    pub fn stderr(&self) -> Option<&StreamReader> {
        self.stderr.as_ref()
    }

    /// The number of the child.
    pub fn pid(&self) -> i32 {
        self.transport.get_pid()
    }

    /// The exit code of the child, the negative number of the signal that ended it, or `None`
    /// while it runs.
    pub fn returncode(&self) -> Option<i32> {
        self.transport.get_returncode()
    }

    /// Waits until the child has ended, and returns its exit code.
    ///
    /// A child that writes more than a pipe holds waits for its reader: use
    /// [`communicate`](Self::communicate) then.
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile; the child runs on.
    ///
    /// # Differences from Python
    /// - It returns when the child has ended, also if a grandchild keeps its pipes open.
    pub async fn wait(&self) -> Result<i32> {
        self.transport.wait().await
    }

    /// Writes `input` to the child, reads all that it writes, and waits for its end.
    ///
    /// A child that does not read its input is no error.
    ///
    /// # Errors
    /// What reading failed with; the `CancelledError` of a task that is cancelled meanwhile.
    ///
    /// # Differences from Python
    /// - What is no pipe gives nothing, instead of `None`.
    pub async fn communicate<'i, I>(&self, input: I) -> Result<(Vec<u8>, Vec<u8>)>
    where
        I: Into<Option<&'i [u8]>>,
    {
        let input = input.into().map(<[u8]>::to_vec);
        let process = self.clone();
        let feed = async move { process.feed_stdin(input).await };
        let (process, other) = (self.clone(), self.clone());
        let stdout = async move { process.read_stream(1).await };
        let stderr = async move { other.read_stream(2).await };
        let (_, stdout, stderr) = gather!(feed, stdout, stderr).await?;
        self.wait().await?;
        Ok((stdout, stderr))
    }

    async fn feed_stdin(&self, input: Option<Vec<u8>>) -> Result<()> {
        let Some(stdin) = &self.stdin else {
            return Ok(());
        };
        if let Some(input) = input {
            stdin.write(input)?;
        }
        match stdin.drain().await {
            // The child may be told more later, as after a timeout.
            Err(exception) if !is_broken(&exception) => return Err(exception),
            _ => stdin.close(),
        }
        Ok(())
    }

    async fn read_stream(&self, fd: i32) -> Result<Vec<u8>> {
        let stream = if fd == 1 { &self.stdout } else { &self.stderr };
        let Some(stream) = stream else {
            return Ok(Vec::new());
        };
        let output = stream.read_to_end().await?;
        if let Some(pipe) = self.transport.get_pipe_transport(fd) {
            pipe.close();
        }
        Ok(output)
    }

    /// Sends the child a signal, by its number; nothing if it has just ended.
    ///
    /// # Errors
    /// `ProcessLookupError` if it is known that the child has ended; `OSError` if there is no such
    /// signal.
    pub fn send_signal(&self, signal: i32) -> Result<()> {
        self.transport.send_signal(signal)
    }

    /// Asks the child to end, by `SIGTERM`.
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal).
    pub fn terminate(&self) -> Result<()> {
        self.transport.terminate()
    }

    /// Ends the child, by `SIGKILL`.
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal).
    pub fn kill(&self) -> Result<()> {
        self.transport.kill()
    }
}

fn is_broken(exception: &Exception) -> bool {
    matches!(
        exception.type_name(),
        "BrokenPipeError" | "ConnectionResetError"
    )
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Process {}>", self.pid())
    }
}

debug_like_display!(Process);
