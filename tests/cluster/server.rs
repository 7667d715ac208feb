//! A redis-server of the test's own, and workers for it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::runner::until;

/// Where redis-server is.
pub(crate) fn program() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&paths).map(|path| path.join("redis-server"));
    found.into_iter().find(|path| path.exists())
}

/// A port that nobody listens at.
pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// The first line of a server's reply to a command, if it can be reached.
pub(crate) fn ask(port: u16, command: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "{command}\r\n").ok()?;
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).ok()?;
    Some(line.trim_end().to_owned())
}

/// A server on a free port with a directory of its own; both are gone when it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    dir: PathBuf,
    options: Vec<String>,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with_options(&[])
    }

    pub(crate) fn with_options(options: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);

        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hilos-cluster-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        let port = free_port();
        let options = options.iter().map(ToString::to_string).collect();
        let mut server = Self {
            port,
            dir,
            options,
            child: None,
        };
        server.run();
        server
    }

    /// Starts it, again after [`kill`](Self::kill) with the data that it had.
    pub(crate) fn run(&mut self) {
        self.begin();
        until("redis-server answers", || {
            let answer = self.try_command("PING");
            answer
                .is_some_and(|answer| answer.starts_with("+PONG") || answer.starts_with("-NOAUTH"))
        });
    }

    /// Starts it, and does not wait until it answers.
    pub(crate) fn begin(&mut self) {
        let child = Command::new(program().unwrap())
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"])
            // What it has written outlives its process. By default it may write a second later than
            // it answers, if the disk is busy.
            .args(["--appendfsync", "no"])
            .args(["--port", &self.port.to_string(), "--dir"])
            .arg(&self.dir)
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Keeps the data that it has now, to which [`restore`](Self::restore) returns.
    pub(crate) fn save(&self) {
        let copied = Command::new("cp")
            .arg("-r")
            .arg(&self.dir)
            .arg(self.file("copy"))
            .status();
        assert!(copied.unwrap().success());
    }

    /// Has the data of before, as long as it is not running.
    pub(crate) fn restore(&self) {
        fs::remove_dir_all(&self.dir).unwrap();
        fs::rename(self.file("copy"), &self.dir).unwrap();
    }

    /// Loses all data, as long as it is not running.
    pub(crate) fn wipe(&self) {
        fs::remove_dir_all(&self.dir).unwrap();
        fs::create_dir_all(&self.dir).unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// The first line of the reply to a command.
    pub(crate) fn command(&self, command: &str) -> String {
        self.try_command(command).unwrap()
    }

    pub(crate) fn try_command(&self, command: &str) -> Option<String> {
        ask(self.port, command)
    }

    /// The number in the reply to a command.
    pub(crate) fn number(&self, command: &str) -> i64 {
        self.command(command)
            .trim_start_matches(':')
            .parse()
            .unwrap()
    }

    /// A file of the test's own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.with_file_name(format!(
            "{}-{name}",
            self.dir.file_name().unwrap().to_str().unwrap()
        ))
    }

    pub(crate) fn worker(&self, queue: &str, options: &[&str]) -> Worker {
        Worker::start(&self.url(), queue, options)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.dir);
        let prefix = self.dir.file_name().unwrap().to_str().unwrap().to_owned() + "-";
        for entry in fs::read_dir(self.dir.parent().unwrap()).unwrap().flatten() {
            if entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(&prefix))
            {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The lease that workers have here.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// This program as a worker; killed when it is dropped.
pub(crate) struct Worker(pub(crate) Child);

impl Worker {
    pub(crate) fn start(url: &str, queue: &str, options: &[&str]) -> Self {
        Self::with(url, queue, options, |program| program)
    }

    /// A worker whose program `change` changes before it starts.
    pub(crate) fn with<F>(url: &str, queue: &str, options: &[&str], change: F) -> Self
    where
        F: FnOnce(&mut Command) -> &mut Command,
    {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program
            .args(["worker", "--queue", queue, "--lease"])
            .arg(LEASE.as_secs_f64().to_string())
            .args(options)
            .env("HILOS_CLUSTER_URL", url)
            .stdin(Stdio::null());
        Self(change(&mut program).spawn().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id() as i32), signal).unwrap();
    }

    /// Waits for its end; what it returned.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let child = std::cell::RefCell::new(&mut self.0);
        until("the worker ends", || {
            child.borrow_mut().try_wait().unwrap().is_some()
        });
        self.0.wait().unwrap().code()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines that tasks have written to a file.
pub(crate) fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
