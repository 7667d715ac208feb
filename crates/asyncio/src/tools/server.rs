//! The thread that answers `hilos ps`.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::unistd::geteuid;

use crate::tools::snapshot::{self, Answer, LoopSeen};
use crate::tools::{place, table, tree};
use crate::watch;

/// How long the other side may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest question.
const QUESTION: usize = 16;

/// The process that serves: a child that was forked does not.
static SERVING: Mutex<Option<u32>> = Mutex::new(None);

/// Lets `hilos ps` and `hilos pstree` look into this process, until it ends.
///
/// A thread of its own answers on a Unix socket that only processes of the same user can reach: in
/// the directory `hilos` of `XDG_RUNTIME_DIR`, or in `/tmp/hilos-UID`. What can be seen are the
/// names of tasks and coroutines, where they wait, and who awaits whom. Each step of a task takes
/// some 0.1 µs longer from then on. Calling it again does nothing.
///
/// # Errors
/// What the system refuses; [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the directory
/// belongs to somebody else or others can enter it.
pub fn serve() -> io::Result<()> {
    let mut serving = SERVING.lock().expect("nothing panics under the lock");
    let pid = std::process::id();
    if *serving == Some(pid) {
        return Ok(());
    }
    let listener = listen(pid)?;
    watch::start();
    thread::Builder::new()
        .name("hilos-tools".to_owned())
        .spawn(move || answer_all(&listener))?;
    *serving = Some(pid);
    Ok(())
}

fn listen(pid: u32) -> io::Result<UnixListener> {
    let directory = place::own_directory();
    place::prepare(&directory)?;
    place::sweep(&directory)?;
    let path = place::socket_in(&directory, pid);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // If it was there, a process that had the same number has left it.
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn answer_all(listener: &UnixListener) {
    for stream in listener.incoming() {
        match stream {
            // Whatever becomes of one question, the next one comes.
            Ok(stream) => drop(answer(&stream)),
            // Too many files are open, perhaps: later there may be fewer.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Answers a question: a digit, 0 for success; the text; and after a NUL byte what is to note.
fn answer(stream: &UnixStream) -> io::Result<()> {
    let peer = getsockopt(stream, PeerCredentials)?;
    if peer.uid() != geteuid().as_raw() {
        return Ok(());
    }
    let question = read_question(stream, Instant::now() + PATIENCE)?;
    let seen = || snapshot::take();
    let (code, seen, text) = match question.as_str() {
        "ps" => {
            let seen = seen();
            let text = table::table(&seen);
            ('0', seen, text)
        }
        "pstree" => {
            let seen = seen();
            match tree::tree(&seen) {
                Ok(text) => ('0', seen, text),
                Err(text) => ('1', seen, text),
            }
        }
        _ => return Ok(()),
    };
    let reply = format!("{code}{text}\0{}", notes(&seen));
    write_by(stream, reply.as_bytes(), Instant::now() + PATIENCE)
}

/// What is to be said of loops that are busy.
fn notes(loops: &[LoopSeen]) -> String {
    let busy = loops.iter().filter_map(|seen| match &seen.answer {
        Answer::Busy(step) => Some((seen.tid, step)),
        Answer::Tasks(_) => None,
    });
    let note = |(tid, step): (u64, &Option<watch::Step>)| match step {
        Some(step) => format!(
            "thread {tid}: the loop is busy and shows no other tasks: {} runs {}() for {:.1} s\n",
            step.task_name,
            (step.coroutine)(),
            step.since.elapsed().as_secs_f64()
        ),
        None => format!("thread {tid}: the loop is busy and shows no tasks\n"),
    };
    busy.map(note).collect()
}

/// Reads a line, by the deadline.
fn read_question(mut stream: &UnixStream, deadline: Instant) -> io::Result<String> {
    let mut question = Vec::new();
    let mut byte = [0];
    while question.len() < QUESTION {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut byte)? {
            0 => break,
            _ if byte[0] == b'\n' => break,
            _ => question.push(byte[0]),
        }
    }
    Ok(String::from_utf8_lossy(&question).into_owned())
}

/// Writes all of `data`, by the deadline.
fn write_by(mut stream: &UnixStream, mut data: &[u8], deadline: Instant) -> io::Result<()> {
    while !data.is_empty() {
        stream.set_write_timeout(Some(left(deadline)?))?;
        match stream.write(data)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => data = &data[written..],
        }
    }
    Ok(())
}

/// The time until the deadline, if there is any left.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(io::ErrorKind::TimedOut.into()),
        false => Ok(left),
    }
}
