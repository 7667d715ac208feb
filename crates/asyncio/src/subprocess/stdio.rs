//! Where a child's standard streams go.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::process;

use super::create::CreateSubprocess;
use super::spawn::SpawnSubprocess;
use crate::exception::Result;
use crate::exceptions::ValueError;

/// What one of a child's standard streams is connected to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Stdio {
    /// The stream of this process: Python's `None`.
    #[default]
    Inherit,
    /// A pipe to this process.
    Pipe,
    /// Nothing: what is written is lost, and there is nothing to read.
    DevNull,
    /// What the standard output is connected to; for the standard errors only.
    Stdout,
    /// A file, pipe or socket.
    Fd(OwnedFd),
}

/// A pipe to this process.
pub const PIPE: Stdio = Stdio::Pipe;

/// Nothing: what is written is lost, and there is nothing to read.
pub const DEVNULL: Stdio = Stdio::DevNull;

/// What the standard output is connected to; for the standard errors only.
pub const STDOUT: Stdio = Stdio::Stdout;

impl From<OwnedFd> for Stdio {
    fn from(fd: OwnedFd) -> Self {
        Self::Fd(fd)
    }
}

impl From<std::fs::File> for Stdio {
    fn from(file: std::fs::File) -> Self {
        Self::Fd(file.into())
    }
}

/// The three standard streams of a child.
#[derive(Debug, Default)]
pub(super) struct Streams {
    pub(super) stdin: Stdio,
    pub(super) stdout: Stdio,
    pub(super) stderr: Stdio,
}

/// The arguments of a child, for a builder with the fields `command` and `streams`.
macro_rules! child_options {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// What the child's standard input is connected to.
            pub fn with_stdin<S: Into<Stdio>>(mut self, stdin: S) -> Self {
                self.streams.stdin = stdin.into();
                self
            }

            /// What the child's standard output is connected to.
            pub fn with_stdout<S: Into<Stdio>>(mut self, stdout: S) -> Self {
                self.streams.stdout = stdout.into();
                self
            }

            /// What the child's standard errors are connected to.
            pub fn with_stderr<S: Into<Stdio>>(mut self, stderr: S) -> Self {
                self.streams.stderr = stderr.into();
                self
            }

            /// Changes what is started: its directory, environment, user and all else that
            /// [`Command`](process::Command) knows, but for the standard streams.
            pub fn with_command<C>(mut self, configure: C) -> Self
            where
                C: FnOnce(&mut process::Command),
            {
                configure(&mut self.command);
                self
            }
        }
    };
}

child_options!(CreateSubprocess);
child_options!(SpawnSubprocess<F>);

/// This process' ends of the pipes to a child.
#[derive(Default)]
pub(super) struct Ends {
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
}

impl Streams {
    /// Connects the standard streams of what `command` will start.
    pub(super) fn connect(self, command: &mut process::Command) -> Result<Ends> {
        let mut ends = Ends::default();
        command.stdin(match self.stdin {
            Stdio::Pipe => {
                let (theirs, ours) = std::io::pipe()?;
                ends.stdin = Some(ours.into());
                theirs.into()
            }
            other => plain(other)?,
        });
        let stdout = match self.stdout {
            Stdio::Pipe => Some(output(&mut ends.stdout)?),
            Stdio::Fd(fd) => Some(fd),
            // The standard errors may go there, too.
            Stdio::DevNull => Some(File::options().write(true).open("/dev/null")?.into()),
            other => {
                command.stdout(plain(other)?);
                None
            }
        };
        command.stderr(match (self.stderr, &stdout) {
            (Stdio::Pipe, _) => output(&mut ends.stderr)?.into(),
            (Stdio::Stdout, Some(fd)) => fd.try_clone()?.into(),
            (Stdio::Stdout, None) => std::io::stdout().as_fd().try_clone_to_owned()?.into(),
            (other, _) => plain(other)?,
        });
        if let Some(fd) = stdout {
            command.stdout(fd);
        }
        Ok(ends)
    }
}

/// A pipe whose end for the child is returned, and whose other end goes to `ours`.
fn output(ours: &mut Option<OwnedFd>) -> Result<OwnedFd> {
    let (reader, writer) = std::io::pipe()?;
    *ours = Some(reader.into());
    Ok(writer.into())
}

fn plain(stdio: Stdio) -> Result<process::Stdio> {
    match stdio {
        Stdio::Inherit => Ok(process::Stdio::inherit()),
        Stdio::DevNull => Ok(process::Stdio::null()),
        Stdio::Fd(fd) => Ok(fd.into()),
        Stdio::Pipe | Stdio::Stdout => {
            Err(ValueError::new("STDOUT can only be used for stderr").into())
        }
    }
}
