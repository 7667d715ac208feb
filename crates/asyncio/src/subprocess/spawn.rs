//! `loop.subprocess_exec` and `loop.subprocess_shell`.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use super::stdio::{PIPE, Streams};
use super::transport::SubprocessTransport;
use crate::base_events::EventLoop;
use crate::create_connection::BoxedResult;
use crate::exception::{Exception, Result, quoted};
use crate::exceptions::ValueError;
use crate::os_error::{os_error_with, words};
use crate::protocols::SubprocessProtocol;

/// A child process to be started; awaiting it starts it.
///
/// Returned by [`EventLoop::subprocess_exec`] and [`EventLoop::subprocess_shell`]. Yields the
/// transport and the protocol.
#[must_use = "nothing is started unless it is awaited"]
pub struct SpawnSubprocess<F> {
    event_loop: EventLoop,
    factory: F,
    pub(super) command: Command,
    pub(super) streams: Streams,
}

impl EventLoop {
    /// Starts `program` with `args`, and tells a protocol of `protocol_factory` what it writes.
    ///
    /// All three standard streams are pipes unless other things are given. Coroutines use
    /// [`create_subprocess_exec`](crate::create_subprocess_exec).
    ///
    /// # Errors
    /// `OSError` if it cannot be started, as `FileNotFoundError` and `PermissionError`.
    ///
    /// Mirrors [`loop.subprocess_exec`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.subprocess_exec).
    pub fn subprocess_exec<F, P, S, I>(
        &self,
        protocol_factory: F,
        program: S,
        args: I,
    ) -> SpawnSubprocess<F>
    where
        F: FnOnce() -> P,
        P: SubprocessProtocol,
        S: AsRef<OsStr>,
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = Command::new(program);
        command.args(args);
        SpawnSubprocess::new(self, protocol_factory, command)
    }

    /// Has the shell run `cmd`, and tells a protocol of `protocol_factory` what it writes.
    ///
    /// # Errors
    /// As [`subprocess_exec`](Self::subprocess_exec).
    ///
    /// Mirrors [`loop.subprocess_shell`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.subprocess_shell).
    pub fn subprocess_shell<F, P, S>(&self, protocol_factory: F, cmd: S) -> SpawnSubprocess<F>
    where
        F: FnOnce() -> P,
        P: SubprocessProtocol,
        S: AsRef<OsStr>,
    {
        SpawnSubprocess::new(self, protocol_factory, shell(cmd))
    }
}

/// What runs `cmd` as a shell does.
pub(super) fn shell(cmd: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(cmd);
    command
}

impl<F> SpawnSubprocess<F> {
    fn new(event_loop: &EventLoop, factory: F, command: Command) -> Self {
        let streams = Streams {
            stdin: PIPE,
            stdout: PIPE,
            stderr: PIPE,
        };
        Self::with(event_loop, factory, command, streams)
    }

    pub(super) fn with(
        event_loop: &EventLoop,
        factory: F,
        command: Command,
        streams: Streams,
    ) -> Self {
        Self {
            event_loop: event_loop.clone(),
            factory,
            command,
            streams,
        }
    }
}

impl<F: FnOnce() -> P, P: SubprocessProtocol> SpawnSubprocess<F> {
    pub(super) async fn spawn(mut self) -> Result<(SubprocessTransport, Rc<P>)> {
        let protocol = Rc::new((self.factory)());
        let ends = self.streams.connect(&mut self.command)?;
        let child = self.command.spawn();
        let child = child.map_err(|error| refused(&error, &self.command))?;
        // The child's ends of the pipes are closed here.
        drop(self.command);
        let transport = SubprocessTransport::new(&self.event_loop, child, protocol.clone(), &ends)?;
        let connecting = transport.clone();
        let connected = async move { connecting.connect_pipes(ends).await };
        let connected = self.event_loop.create_task(connected)?;
        match connected.await {
            Ok(()) => Ok((transport, protocol)),
            Err(exception) => {
                transport.close();
                // The exception counts, whatever happens meanwhile.
                let _ = transport.wait().await;
                Err(exception)
            }
        }
    }
}

/// Why the system does not start `command`, and what of it is to blame.
fn refused(error: &io::Error, command: &Command) -> Exception {
    if error.raw_os_error().is_none() {
        return ValueError::new("embedded null byte").into();
    }
    let missing = |directory: &&Path| !directory.is_dir();
    let blamed = match command.get_current_dir().filter(missing) {
        Some(directory) => directory.as_os_str(),
        None => command.get_program(),
    };
    let blamed = quoted(&blamed.to_string_lossy());
    os_error_with(error, &format!("{}: {blamed}", words(error)))
}

impl<F, P> IntoFuture for SpawnSubprocess<F>
where
    F: FnOnce() -> P + 'static,
    P: SubprocessProtocol,
{
    type Output = Result<(SubprocessTransport, Rc<P>)>;
    type IntoFuture = BoxedResult<(SubprocessTransport, Rc<P>)>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.spawn())
    }
}
