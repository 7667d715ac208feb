//! `hilos ps` and `hilos pstree`: each program under observation is a process of its own.

mod access;
mod output;
mod programs;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use hilos::asyncio::Result;

/// Which program a child is.
const PROGRAM: &str = "HILOS_TEST_PROGRAM";

/// A directory of this test's own, as `XDG_RUNTIME_DIR`.
struct Runtime(PathBuf);

impl Runtime {
    fn new() -> Self {
        static COUNTED: AtomicU32 = AtomicU32::new(0);
        let number = COUNTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("hilos-test-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    fn sockets(&self) -> PathBuf {
        self.0.join("hilos")
    }

    /// Starts a program and waits for its first line.
    fn start(&self, program: &str) -> Program {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "tools::programs::program"]);
        child.args(["--ignored", "--nocapture"]);
        child.env(PROGRAM, program).env("XDG_RUNTIME_DIR", &self.0);
        child.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines
            .map(Result::unwrap)
            .find_map(|line| Some(line.split_once("says: ")?.1.to_owned()));
        let said = said.expect("the program says something");
        Program { child, said }
    }

    /// Runs the command.
    fn hilos(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hilos"));
        command.args(arguments).env("XDG_RUNTIME_DIR", &self.0);
        command.output().unwrap()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Program {
    child: Child,
    /// The program's first line.
    said: String,
}

impl Program {
    fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The text of a successful run.
#[track_caller]
fn succeeds(output: Output) -> (String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    (stdout, stderr)
}

/// What a run that failed says.
#[track_caller]
fn fails(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).unwrap()
}
