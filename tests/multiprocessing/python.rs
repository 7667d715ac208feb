//! CPython, to compare with.

use std::process::{Command, Stdio};

use crate::program::Program;

/// Starts a script; `None` if this machine has no Python, which `HILOS_REQUIRE_PYTHON` forbids.
pub(crate) fn start(script: &str, args: &[&str]) -> Option<Program> {
    let Some(python) = interpreter() else {
        let required = std::env::var_os("HILOS_REQUIRE_PYTHON").is_some();
        assert!(!required, "no Python found; HILOS_PYTHON can name one");
        println!("SKIPPED: no Python found; HILOS_PYTHON can name one");
        return None;
    };
    let mut command = Command::new(python);
    command.args(["-E", "-c", script]).args(args);
    Some(Program::run(command))
}

/// Runs a script to its end, and returns what it printed as output and as errors.
pub(crate) fn run(script: &str, args: &[&str]) -> Option<(String, String)> {
    let mut program = start(script, args)?;
    let output = program.rest();
    let (status, errors) = program.finish();
    assert!(status.success(), "{errors}");
    Some((output, errors))
}

fn interpreter() -> Option<String> {
    let found = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/ci/python"))
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    found.status.success().then(|| path.trim().to_owned())
}
