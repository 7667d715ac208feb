//! `asyncio.create_subprocess_exec` and `asyncio.create_subprocess_shell`.

use std::ffi::OsStr;
use std::process::Command;

use super::Process;
use super::spawn::{SpawnSubprocess, shell};
use super::stdio::Streams;
use super::streams::StreamProtocol;
use crate::create_connection::BoxedResult;
use crate::exception::Result;
use crate::running;
use crate::streams::{DEFAULT_LIMIT, checked_limit};

/// A child process to be started; awaiting it starts it.
///
/// Returned by [`create_subprocess_exec`] and [`create_subprocess_shell`]. Yields the [`Process`].
#[must_use = "nothing is started unless it is awaited"]
pub struct CreateSubprocess {
    pub(super) command: Command,
    pub(super) streams: Streams,
    limit: usize,
}

/// Starts `program` with `args`.
///
/// Its standard streams are this process' own unless other things are given, as
/// [`PIPE`](super::PIPE).
///
/// ```
/// use hilos_asyncio as asyncio;
/// use asyncio::subprocess::{DEVNULL, PIPE};
///
/// asyncio::run(async {
///     let sort = asyncio::create_subprocess_exec("sort", ["-r"])
///         .with_stdin(PIPE)
///         .with_stdout(PIPE)
///         .with_stderr(DEVNULL)
///         .await?;
///     let (sorted, _) = sort.communicate(b"a\nc\nb\n".as_slice()).await?;
///     assert_eq!(sorted, b"c\nb\na\n");
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// `OSError` if it cannot be started, as `FileNotFoundError` and `PermissionError`;
/// [`ValueError`](crate::ValueError) if the limit is 0.
///
/// # Differences from Python
/// - A limit of 0 is refused before anything is started.
///
/// Mirrors [`asyncio.create_subprocess_exec`](https://docs.python.org/3.14/library/asyncio-subprocess.html#asyncio.create_subprocess_exec).
pub fn create_subprocess_exec<S, I>(program: S, args: I) -> CreateSubprocess
where
    S: AsRef<OsStr>,
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    let mut command = Command::new(program);
    command.args(args);
    CreateSubprocess::new(command)
}

/// Has the shell run `cmd`. What a stranger gave does not belong in it.
///
/// # Errors
/// As [`create_subprocess_exec`].
///
/// Mirrors [`asyncio.create_subprocess_shell`](https://docs.python.org/3.14/library/asyncio-subprocess.html#asyncio.create_subprocess_shell).
pub fn create_subprocess_shell<S: AsRef<OsStr>>(cmd: S) -> CreateSubprocess {
    CreateSubprocess::new(shell(cmd))
}

impl CreateSubprocess {
    fn new(command: Command) -> Self {
        Self {
            command,
            streams: Streams::default(),
            limit: DEFAULT_LIMIT,
        }
    }

    /// How many bytes each reader holds, twice that for a moment; 64 KiB unless given.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    async fn create(self) -> Result<Process> {
        let event_loop = running::get_running_loop()?;
        let (making, limit) = (event_loop.clone(), checked_limit(self.limit)?);
        let factory = move || StreamProtocol::new(&making, limit);
        let spawn = SpawnSubprocess::with(&event_loop, factory, self.command, self.streams);
        let (transport, protocol) = spawn.spawn().await?;
        Ok(Process::new(transport, &protocol))
    }
}

impl IntoFuture for CreateSubprocess {
    type Output = Result<Process>;
    type IntoFuture = BoxedResult<Process>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.create())
    }
}
