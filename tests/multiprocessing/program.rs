//! Programs of their own, to see what is left when they have ended.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use nix::sys::signal::{SigHandler, Signal, kill, killpg, signal};
use nix::unistd::Pid;

const VARIABLE: &str = "HILOS_TEST_PROGRAM";
/// What precedes a line that a program means to be read.
const SAYS: &str = "says ";

/// A running program; it is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Program {
    /// Runs the ignored test of this name as a program.
    pub(crate) fn start(name: &str, args: &[&str]) -> Self {
        Self::run_test(Command::new(env::current_exe().unwrap()), name, args)
    }

    /// Like [`start`](Self::start), by a command that has the tests' program as its last argument.
    pub(crate) fn run_test(mut command: Command, name: &str, args: &[&str]) -> Self {
        command
            .args(["--exact", name, "--ignored", "--nocapture"])
            .env(VARIABLE, args.join(" "));
        Self::run(command)
    }

    /// Runs a program in a process group of its own.
    pub(crate) fn run(mut command: Command) -> Self {
        heed_interrupts();
        let command = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// The next thing that it says.
    pub(crate) fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the program has ended: {:?}", self.errors());
            // The test harness may have begun the line.
            if let Some((_, said)) = line.split_once(SAYS) {
                return said.trim_end().to_owned();
            }
        }
    }

    /// All that it prints until its end.
    pub(crate) fn rest(&mut self) -> String {
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        text
    }

    /// Lets it go on, where it waits.
    pub(crate) fn go_on(&mut self) {
        self.input.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Sends a signal to the whole process group.
    pub(crate) fn signal_group(&self, signal: Signal) {
        killpg(self.pid(), signal).unwrap();
    }

    /// Waits until the program and all that write to its standard error output have ended, and
    /// returns what they wrote.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        drop(self.input.take());
        let errors = self.errors();
        (self.child.wait().unwrap(), errors)
    }

    fn errors(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut text).unwrap();
        }
        text
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has this process and its children heed Ctrl-C, which a shell's background job is told to ignore.
pub(crate) fn heed_interrupts() {
    // SAFETY: this restores what the system does by itself, and no code of the process runs at the signal.
    unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }.unwrap();
}

/// In a program: its arguments; `None` in an ignored test that somebody runs by hand.
pub(crate) fn args() -> Option<Vec<String>> {
    let args = env::var(VARIABLE).ok()?;
    Some(args.split_whitespace().map(str::to_owned).collect())
}

/// In a program: tells whoever runs it.
pub(crate) fn say(text: &str) {
    let mut output = std::io::stdout().lock();
    output
        .write_all(format!("{SAYS}{text}\n").as_bytes())
        .unwrap();
    output.flush().unwrap();
}

/// In a program: waits until it is told to go on; ends it if it never will be.
pub(crate) fn wait() {
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).unwrap() == 0 {
        std::process::exit(0);
    }
}
