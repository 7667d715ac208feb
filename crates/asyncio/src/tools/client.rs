//! The side that asks.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::unistd::geteuid;

use crate::tools::error::ToolsError;
use crate::tools::place;

/// How long a program has to answer altogether; its loops have a second of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a program says of its tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The table or the tree.
    pub text: String,
    /// A line for each loop that was too busy to answer; empty if there is none.
    pub notes: String,
}

/// A table of the tasks of a process, as `hilos ps PID` prints it.
///
/// A row for each task and each task that awaits it, with the columns of `python -m asyncio ps`.
///
/// # Blocking
/// Until the process has answered, for at most five seconds.
///
/// # Errors
/// [`ToolsError`].
pub fn ps(pid: u32) -> Result<Report, ToolsError> {
    ask(pid, "ps\n")
}

/// The tasks of a process as trees, as `hilos pstree PID` prints them: below a task is what it
/// awaits.
///
/// # Blocking
/// As [`ps`].
///
/// # Errors
/// [`ToolsError`].
pub fn pstree(pid: u32) -> Result<Report, ToolsError> {
    ask(pid, "pstree\n")
}

fn ask(pid: u32, question: &'static str) -> Result<Report, ToolsError> {
    check_process(pid)?;
    let (sender, answer) = mpsc::channel();
    // Not even a process that is stopped can keep the caller for longer than it is patient.
    thread::Builder::new()
        .name("hilos-tools-ask".to_owned())
        .spawn(move || {
            let answer = connect(pid).and_then(|stream| exchange(&stream, question));
            // The caller may have gone.
            let _ = sender.send(answer);
        })?;
    let answer = answer
        .recv_timeout(PATIENCE)
        .map_err(|_| ToolsError::Timeout(pid))??;
    match parse(&answer) {
        Some(report) => report,
        None if answer.is_empty() => Err(ToolsError::NotServing(pid)),
        // It has ended meanwhile, or lost its patience.
        None => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
    }
}

fn check_process(pid: u32) -> Result<(), ToolsError> {
    match fs::metadata(place::process(pid)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(ToolsError::NoSuchProcess(pid))
        }
        Err(error) => Err(error.into()),
        Ok(process) if process.uid() != geteuid().as_raw() => Err(ToolsError::OtherUser(pid)),
        Ok(_) => Ok(()),
    }
}

/// Connects to the process itself: somebody else's socket under its name is none.
fn connect(pid: u32) -> Result<UnixStream, ToolsError> {
    for directory in place::directories_of(pid) {
        if !place::is_private(&directory) {
            continue;
        }
        if let Some(stream) = connect_to(&place::socket_in(&directory, pid))? {
            let peer = getsockopt(&stream, PeerCredentials)?;
            if u32::try_from(peer.pid()) == Ok(pid) && peer.uid() == geteuid().as_raw() {
                return Ok(stream);
            }
        }
    }
    Err(ToolsError::NotServing(pid))
}

fn connect_to(path: &Path) -> io::Result<Option<UnixStream>> {
    match UnixStream::connect(path) {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
            _ => Err(error),
        },
    }
}

fn exchange(mut stream: &UnixStream, question: &str) -> Result<Vec<u8>, ToolsError> {
    stream.write_all(question.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Takes the answer apart; `None` if it is none, or was cut short.
fn parse(answer: &[u8]) -> Option<Result<Report, ToolsError>> {
    let answer = std::str::from_utf8(answer).ok()?;
    let (text, notes) = answer.split_once('\0')?;
    let (code, text) = text.split_at_checked(1)?;
    let (text, notes) = (text.to_owned(), notes.to_owned());
    match code {
        "0" => Some(Ok(Report { text, notes })),
        "1" => Some(Err(ToolsError::Cycles(text))),
        _ => None,
    }
}
