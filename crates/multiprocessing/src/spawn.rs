//! What a new process does before and after its function.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use hilos_core::process::exit_now;
use serde::{Deserialize, Serialize};

use crate::current::{Identity, become_child};
use crate::error::Error;
use crate::failure::Failure;
use crate::reduction::{Message, dumps, loads};
use crate::resource_tracker::{self, Tree};
use crate::start_method::{StartMethod, set_start_method};
use crate::sys::image::{self, Descriptor};
use crate::sys::lifeline::die_with;
use crate::sys::spawn::duplicate_onto;
use crate::{LOGGER, children, forkserver, logging, message};

/// What a parent tells a new program.
#[derive(Serialize, Deserialize)]
pub(crate) struct Preparation {
    pub(crate) identity: Identity,
    pub(crate) start_method: StartMethod,
    pub(crate) directory: Option<std::path::PathBuf>,
    tree: Tree,
    /// What the parent logs, as a number.
    log_level: u8,
    /// Which build of the program the parent runs.
    build: Option<[u64; 4]>,
    /// Which function.
    function: usize,
    function_name: String,
    args: Vec<u8>,
    /// Whether standard output and standard error come before the descriptors of the arguments.
    streams: bool,
}

/// Puts together what a new program needs to know; `socket` is its end of what it shares with the
/// parent from then on.
pub(crate) fn prepare(
    identity: Identity,
    start_method: StartMethod,
    socket: OwnedFd,
    (function, args): (&'static Descriptor, Message),
) -> Result<Message, Error> {
    let streams = match start_method {
        StartMethod::ForkServer => standard_streams(),
        // They are inherited.
        StartMethod::Spawn | StartMethod::Fork => None,
    };
    let preparation = Preparation {
        identity,
        start_method,
        directory: std::env::current_dir().ok(),
        tree: resource_tracker::tree(),
        log_level: logging::level(),
        build: image::identity(),
        function: function.offset(),
        function_name: function.name().to_owned(),
        args: args.bytes,
        streams: streams.is_some(),
    };
    let own = [socket].into_iter().chain(streams.into_iter().flatten());
    Ok(Message {
        bytes: dumps(&preparation)?.bytes,
        fds: own.chain(args.fds).collect(),
    })
}

/// Standard output and error as they are now; `None` if one of them is closed.
fn standard_streams() -> Option<[OwnedFd; 2]> {
    let out = io::stdout().as_fd().try_clone_to_owned().ok()?;
    let err = io::stderr().as_fd().try_clone_to_owned().ok()?;
    Some([out, err])
}

/// The role of a process that runs one function.
pub(crate) const PROCESS: char = 'P';
/// The role of the server that makes such processes.
pub(crate) const FORK_SERVER: char = 'S';
/// The role of the process that removes what others leave behind.
pub(crate) const RESOURCE_TRACKER: char = 'T';

/// Does what the parent asks for, in place of `main`.
pub(crate) fn enter(role: char, socket: OwnedFd) -> ! {
    match role {
        FORK_SERVER => forkserver::serve(socket),
        RESOURCE_TRACKER => resource_tracker::serve(socket),
        _ => std::process::exit(run(socket)),
    }
}

/// Runs the function that the parent sends; returns the exit code.
pub(crate) fn run(orders: OwnedFd) -> i32 {
    let Ok(Message { bytes, fds }) = message::receive(orders.as_fd()) else {
        // The parent is gone before it said what to do.
        exit_now(1)
    };
    drop(orders);
    let mut fds = fds.into_iter();
    let Some(socket) = fds.next() else {
        exit_now(1)
    };
    let socket = Arc::new(socket);
    let _ = die_with(socket.as_fd());
    let result = match loads::<Preparation>(&bytes, Vec::new()) {
        Ok(preparation) => run_prepared(preparation, fds, socket.clone()),
        Err(error) => Err(Failure::new("UnpicklingError", error)),
    };
    let exitcode = report(result, socket.as_fd());
    tracing::info!(target: LOGGER, "process exiting with exitcode {exitcode}");
    exitcode
}

fn run_prepared(
    preparation: Preparation,
    mut fds: impl Iterator<Item = OwnedFd>,
    socket: Arc<OwnedFd>,
) -> Result<(), Failure> {
    if preparation.streams {
        for (number, stream) in (1..=2).zip(&mut fds) {
            duplicate_onto(stream.as_fd(), number);
        }
    }
    if let Some(directory) = preparation.directory {
        let _ = std::env::set_current_dir(directory);
    }
    become_child(preparation.identity, socket);
    resource_tracker::join(preparation.tree);
    logging::inherit(preparation.log_level);
    children::install();
    let _ = set_start_method(preparation.start_method, true);
    let function = find(
        preparation.function,
        &preparation.function_name,
        preparation.build,
    )?;
    tracing::info!(target: LOGGER, "child process calling self.run()");
    let (bytes, fds) = (preparation.args, fds.collect());
    (function.call)(Message { bytes, fds }).map(drop)
}

/// The parent's function of this number and name, if the parent runs the same build.
fn find(
    number: usize,
    name: &str,
    build: Option<[u64; 4]>,
) -> Result<&'static Descriptor, Failure> {
    let found = Descriptor::at_offset(number).filter(|found| found.name() == name);
    found.filter(|_| build == image::identity()).ok_or_else(|| {
        let text = format!("{name} belongs to another build of the program than was started");
        Failure::new("RuntimeError", text)
    })
}

/// Ends a process that is a copy, as CPython does: the exit handlers of the C library and its buffers
/// are those of the process that it is a copy of.
pub(crate) fn end_copy(exitcode: i32) -> ! {
    hilos_threading::finish_copy();
    #[cfg(feature = "pickle")]
    crate::managers::release_all();
    children::finish();
    let _ = io::stdout().flush();
    exit_now(exitcode)
}

/// Tells the parent and the standard error output how the function failed, and returns the exit
/// code.
pub(crate) fn report(result: Result<(), Failure>, socket: BorrowedFd<'_>) -> i32 {
    let Err(failure) = result else { return 0 };
    let name = crate::current_process().name().to_owned();
    let mut text = format!("Process {name}:\n");
    for line in failure
        .place
        .iter()
        .map(|place| format!("  at {place}"))
        .chain(failure.backtrace.clone())
    {
        text += &line;
        text.push('\n');
    }
    text += &format!("{failure}\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
    if let Ok(message) = dumps(&failure) {
        let _ = message::send(socket, &message);
    }
    1
}
