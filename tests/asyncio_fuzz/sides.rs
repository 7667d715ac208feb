//! The two that run programs: this crate in a thread, and CPython in a process.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::program::Program;
use crate::world;

/// How long a program may take before it is thought to hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// The stack of the thread that runs programs, whose blocks are nested.
const STACK: usize = 64 << 20;

pub(crate) type Trace = Vec<String>;

/// Something that answers each question with lines, in their order.
pub(crate) struct Side<Q> {
    questions: Sender<Q>,
    answers: Receiver<Trace>,
}

impl<Q> Side<Q> {
    pub(crate) fn ask(&self, question: Q) {
        // If it has ended, there will be no answer either.
        let _ = self.questions.send(question);
    }

    /// The next answer, or what is wrong with the one that should give it.
    pub(crate) fn answer(&self) -> Result<Trace, RecvTimeoutError> {
        self.answers.recv_timeout(PATIENCE)
    }
}

pub(crate) fn ours() -> Side<Program> {
    let (questions, programs) = channel::<Program>();
    let (traces, answers) = channel();
    let work = move || {
        for program in programs {
            if traces.send(world::run(&program)).is_err() {
                break;
            }
        }
    };
    let thread = thread::Builder::new().stack_size(STACK);
    thread.spawn(work).expect("there is room for a thread");
    Side { questions, answers }
}

/// CPython and its minor version; `None` if this machine has none that is new enough, which
/// `HILOS_REQUIRE_PYTHON` forbids.
pub(crate) fn cpython() -> Option<(Side<String>, u32)> {
    let found = interpreter().and_then(|python| Some((version(&python)?, python)));
    let Some((minor, python)) = found.filter(|(minor, _)| *minor >= 11) else {
        let required = std::env::var_os("HILOS_REQUIRE_PYTHON").is_some();
        assert!(
            !required,
            "no Python 3.11 or newer found; HILOS_PYTHON can name one"
        );
        // The test harness hides what a test prints, unless it fails.
        let skipped = "SKIPPED: no Python 3.11 or newer found; HILOS_PYTHON can name one";
        let _ = writeln!(std::io::stderr(), "{skipped}");
        return None;
    };
    let mut child = Command::new(python)
        .args([
            "-EB",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/asyncio_fuzz/cpython.py"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python was found");
    let (questions, texts) = channel();
    let (traces, answers) = channel();
    let input = child.stdin.take().expect("it is piped");
    let output = child.stdout.take().expect("it is piped");
    thread::spawn(move || write(input, &texts));
    thread::spawn(move || {
        read(output, &traces);
        let _ = child.wait();
    });
    Some((Side { questions, answers }, minor))
}

fn write(mut input: ChildStdin, texts: &Receiver<String>) {
    for text in texts {
        if writeln!(input, "{text}").is_err() {
            break;
        }
    }
}

fn read(output: ChildStdout, traces: &Sender<Trace>) {
    let mut trace = Vec::new();
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if line != "." {
            trace.push(line);
        } else if traces.send(std::mem::take(&mut trace)).is_err() {
            break;
        }
    }
}

fn interpreter() -> Option<String> {
    printed(Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/ci/python"
    )))
}

fn version(python: &str) -> Option<u32> {
    let mut command = Command::new(python);
    command.args(["-E", "-c", "import sys; print(sys.version_info[1])"]);
    printed(command)?.parse().ok()
}

fn printed(mut command: Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
