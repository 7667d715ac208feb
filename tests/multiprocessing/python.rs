//! CPython, to compare with.

use std::path::{Path, PathBuf};
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

/// Starts a script with this Python.
pub(crate) fn start_with(python: &Path, script: &str, args: &[&str]) -> Program {
    let mut command = Command::new(python);
    command.args(["-E", "-c", script]).args(args);
    Program::run(command)
}

/// The oldest and the newest Python of this machine, as far as they are there: from 3.8 on.
pub(crate) fn oldest_and_newest() -> Vec<PathBuf> {
    let newest = interpreter().map(PathBuf::from);
    let oldest = of_pyenv().into_iter().next();
    let different = oldest.filter(|oldest| Some(oldest) != newest.as_ref());
    let found: Vec<PathBuf> = different.into_iter().chain(newest).collect();
    let required = std::env::var_os("HILOS_REQUIRE_PYTHON").is_some();
    assert!(!found.is_empty() || !required, "no Python found");
    if found.is_empty() {
        println!("SKIPPED: no Python found; HILOS_PYTHON can name one");
    }
    found
}

/// Those of pyenv's that are new enough, the oldest first.
pub(crate) fn of_pyenv() -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(std::env::home_dir()?.join(".pyenv")));
    let versions = root.and_then(|root| std::fs::read_dir(root.join("versions")).ok());
    let mut found: Vec<(u32, PathBuf)> = versions
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|version| {
            let name = version.file_name();
            let minor = name.to_str()?.strip_prefix("3.")?.split('.').next()?;
            let python = version.path().join("bin/python");
            let minor = minor.parse().ok().filter(|minor| *minor >= 8)?;
            python.exists().then_some((minor, python))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, python)| python).collect()
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
