//! The examples that need both languages.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hilos::multiprocessing::connection::{Listener, client};
use hilos::pickle::{Object, loads};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::python;

/// An example's program, which is built with the tests, unless they are built alone.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().unwrap().parent().unwrap();
    let program = built.join("examples").join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.rs"));
    let age = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    if age(&program) < age(&source) {
        let profile = built.file_name().unwrap().to_str().unwrap();
        let profile = if profile == "debug" { "dev" } else { profile };
        let mut cargo = Command::new(env!("CARGO"));
        let target = built.parent().unwrap();
        let cargo = cargo.args(["build", "--example", name, "--profile", profile]);
        let cargo = cargo.arg("--target-dir").arg(target);
        assert!(cargo.status().unwrap().success());
    }
    program
}

/// What an example prints that runs a program of this Python's.
fn output(python: &Path, name: &str, args: &[&str]) -> String {
    let mut command = Command::new(program(name));
    let output = command.args(args).env("HILOS_PYTHON", python).output();
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_pool_of_python_is_fed_by_queues_of_hilos() {
    for python in python::oldest_and_newest() {
        let output = output(&python, "manager_python_workers", &[]);
        assert!(
            output.contains("100 numbers, 11 of them prime\n"),
            "{output}"
        );
        assert!(
            output.contains("100 numbers factored by 3 workers\n"),
            "{output}"
        );
    }
}

#[test]
fn a_worker_of_hilos_joins_a_manager_of_python() {
    for python in python::oldest_and_newest() {
        let output = output(&python, "manager_client", &[]);
        let expected = "Python has got {0: 1, 1: 1, 2: 2, 3: 6, 4: 24}\n";
        assert!(output.ends_with(expected), "{output}");
    }
}

#[test]
fn memory_is_shared_with_python() {
    // Python 3.8 has lists of another layout.
    if let Some(python) = python::oldest_and_newest().last() {
        let output = output(python, "shared_memory_with_python", &["1000"]);
        assert!(
            output.contains("Python: 1000 numbers squared with "),
            "{output}"
        );
        assert!(output.contains(", 1000, 'done'], name="), "{output}");
    }
}

/// Calls `g` of `Foo`, and `f` and `_h` of `Bar`, by their typeids.
const TYPES: &str = "\
import json, sys
from multiprocessing.managers import BaseManager, IteratorProxy, SyncManager
class Manager(SyncManager): pass
Manager.register('Foo')
Manager.register('Bar', exposed=('f', '_h'))
Manager.register('baz', proxytype=IteratorProxy)
address = json.loads(sys.argv[1])['address']
manager = Manager(tuple(address) if isinstance(address, list) else address, b'KEY')
manager.connect()
foo, bar = manager.Foo(), manager.Bar()
try:
    foo.g()
except ValueError as error:
    print('says', foo.f(), bar.f(), bar._h(), list(manager.baz()), repr(error), manager.dict({1: 2}))
";

#[test]
fn a_server_for_trying_by_hand() {
    let path = std::env::temp_dir().join(format!("hilos-by-hand-{}", std::process::id()));
    let path = path.to_str().unwrap();
    for args in [
        &["--address", "127.0.0.1:0"][..],
        &["--address", path, "--family", "unix"],
    ] {
        for python in python::oldest_and_newest() {
            let mut server = Running::start("manager_server", args);
            let address = server.line();
            let output = python::start_with(&python, TYPES, &[&address]).line();
            let squares = "[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]";
            assert_eq!(
                output,
                format!("f() f() _h() {squares} ValueError() {{1: 2}}")
            );
            server.close_input();
            assert_eq!(server.status(), Some(0), "it ends with its input");
        }
    }
    let mut server = Running::start("manager_server", &["--address", path, "--family", "unix"]);
    assert_eq!(server.line(), format!("{{\"address\": \"{path}\"}}"));
    server.terminate();
    assert_eq!(server.status(), Some(0), "it ends by SIGTERM");
    assert!(!Path::new(path).exists(), "and takes its socket away");
}

#[test]
fn a_peer_for_trying_by_hand() {
    let mut peer = Running::start("echo_peer", &["--address", "127.0.0.1:0"]);
    let address = peer.line();
    let (_, port) = address.rsplit_once(' ').unwrap();
    let port: u16 = port.trim_end_matches("]}").parse().unwrap();
    let silent = client(("127.0.0.1", port), None).unwrap();
    for _ in 0..2 {
        let connection = client(("127.0.0.1", port), Some(b"KEY")).unwrap();
        for message in [&b"hello"[..], b"", &[b'x'; 100_000]] {
            connection.send_bytes(message).unwrap();
            assert_eq!(connection.recv_bytes().unwrap(), message);
        }
    }
    drop(silent);
    peer.terminate();
    assert_eq!(peer.status(), Some(0));

    for echo in [true, false] {
        let listener = Listener::new(("127.0.0.1", 0))
            .unwrap()
            .with_authkey(b"KEY");
        let address = listener
            .address()
            .to_string()
            .replace(['(', ')', '\'', ' '], "");
        let address = address.replace(',', ":");
        let mut peer = Running::start("echo_peer", &["--dial", &address]);
        let connection = listener.accept_timeout(crate::support::LONG).unwrap();
        let message = connection.recv_bytes().unwrap();
        assert_eq!(loads::<Object>(&message).unwrap(), Object::from("hello"));
        let answer = if echo { &message[..] } else { b"N." };
        connection.send_bytes(answer).unwrap();
        assert_eq!(peer.status(), Some(i32::from(!echo)));
    }
}

/// An example that runs, with the key `KEY`.
struct Running(std::process::Child);

impl Running {
    fn start(name: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program(name));
        let command = command.args(args).args(["--authkey", "KEY"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        let output = self.0.stdout.as_mut().unwrap();
        while output.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    fn close_input(&mut self) {
        drop(self.0.stdin.take());
    }

    fn terminate(&self) {
        kill(Pid::from_raw(self.0.id() as i32), Signal::SIGTERM).unwrap();
    }

    fn status(&mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
