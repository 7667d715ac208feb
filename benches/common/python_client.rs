//! A client of a manager in CPython, which a benchmark tells what to do.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use hilos::multiprocessing::connection::Address;

const PROGRAM: &str = "benches/python/managers.py";

pub(crate) const AUTHKEY: &[u8] = b"benchmark";

/// Does turns of some work, and says how long they took.
pub(crate) struct PythonClient {
    child: Child,
    lines: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl PythonClient {
    /// A client of the manager at an address, in that process, or of one of CPython's own for this
    /// family of addresses.
    pub(crate) fn start(python: &str, work: &str, manager: Result<(Address, u32), &str>) -> Self {
        let manager = match manager {
            Ok((Address::Inet(host, port), pid)) => vec![format!("{host}:{port}"), pid.to_string()],
            Ok((Address::Unix(path), pid)) => vec![path.display().to_string(), pid.to_string()],
            Ok((other, _)) => panic!("CPython has no address {other}"),
            Err(family) => vec![family.to_owned()],
        };
        let mut child = Command::new(python)
            .args([PROGRAM, work])
            .args(manager)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let lines = Mutex::new((stdin, BufReader::new(stdout)));
        Self { child, lines }
    }

    pub(crate) fn run(&self, turns: u64) -> Duration {
        let mut lines = self.lines.lock().unwrap();
        writeln!(lines.0, "{turns}").unwrap();
        let mut answer = String::new();
        lines.1.read_line(&mut answer).unwrap();
        Duration::from_secs_f64(answer.trim().parse().unwrap())
    }
}

impl Drop for PythonClient {
    fn drop(&mut self) {
        // It ends with its input, and with it the manager that it may have started.
        let (closed, _) = &mut *self.lines.lock().unwrap();
        let _ = closed.write_all(b"0\n");
        let _ = self.child.wait();
    }
}

/// The newest CPython of this machine.
pub(crate) fn find_python() -> Option<String> {
    let found = Command::new("ci/python").output().ok()?;
    let path = found.status.success().then_some(found.stdout)?;
    Some(String::from_utf8(path).ok()?.trim().to_owned())
}
