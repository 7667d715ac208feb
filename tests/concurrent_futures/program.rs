//! Tests that need a program of their own, to see how it ends.

use std::env;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::DEADLINE;

const VARIABLE: &str = "HILOS_TEST_PROGRAM";

/// Runs the ignored test of this name as a program of its own; returns what it printed.
#[track_caller]
pub(crate) fn run(name: &str) -> (String, String) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(VARIABLE, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + DEADLINE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "no such program: {stdout}");
    (stdout, stderr)
}

/// Whether an ignored test was started by [`run`], and not by somebody who asked for all.
pub(crate) fn is_program() -> bool {
    env::var_os(VARIABLE).is_some()
}
