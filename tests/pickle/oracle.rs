//! Runs the tests' Python program.

use std::io::Write;
use std::process::{Command, Stdio};

/// What the test's Python program prints, or nothing if there is no Python.
pub(crate) fn python(mode: &str, input: &str) -> Option<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let found = Command::new("sh")
        .arg(format!("{root}/ci/python"))
        .output()
        .unwrap();
    let interpreter = String::from_utf8(found.stdout).unwrap();
    if interpreter.is_empty() {
        assert!(
            std::env::var_os("HILOS_REQUIRE_PYTHON").is_none(),
            "no Python found"
        );
        eprintln!("SKIPPED: no Python found; HILOS_PYTHON can name one");
        return None;
    }
    let mut child = Command::new(interpreter.trim())
        .arg(format!("{root}/tests/pickle/oracle.py"))
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(byte).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
