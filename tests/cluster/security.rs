//! Who may do what, and what is never shown.

use std::fs::{File, read_to_string};
use std::process::Command;

use hilos::cluster::{self, ClusterExecutor, ClusterPool, Error, status};
use hilos::multiprocessing::pool::JobError;

use crate::functions::square;
use crate::runner::{Case, until};
use crate::server::{Server, Worker};

/// With this variable, this program logs what workers and clients tell, down to a level.
pub(crate) const LOG: &str = "HILOS_TEST_LOG";

pub(crate) fn log() {
    if let Some(level) = std::env::var_os(LOG).and_then(|level| level.to_str()?.parse().ok()) {
        let level: tracing::Level = level;
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::NEW)
            .init();
    }
}

pub(crate) const CASES: &[Case] = &[
    ("security::limited_user", limited_user),
    ("security::user_of_one_queue", user_of_one_queue),
    ("security::secrets_are_not_shown", secrets_are_not_shown),
    ("security::secrets_are_not_logged", secrets_are_not_logged),
    (
        "security::only_registered_functions",
        only_registered_functions,
    ),
    ("security::status_command", status_command),
];

/// The user of the documentation's example.
fn limited_user() {
    let server = Server::start();
    let reply = server.command(
        "ACL SETUSER hilos on >PASSWORD resetkeys ~hilos:* resetchannels -@all +@stream +@hash \
         +@connection +@scripting +del +exists +pexpire +time",
    );
    assert_eq!(reply, "+OK");
    let url = format!("redis://hilos:PASSWORD@127.0.0.1:{}/0", server.port);
    let _worker = Worker::start(&url, "q", &["--slots", "1"]);
    let pool = ClusterPool::new(&url, "q").unwrap();
    let pool = pool.with_chunksize(25);
    assert_eq!(pool.map(square, 0..100).unwrap().len(), 100);
    assert_eq!(status(&url, "q").unwrap().submitted, 4);
}

/// A user may be limited to a queue, and have a password that a URL has to escape.
fn user_of_one_queue() {
    let server = Server::start();
    let acl = "ACL SETUSER queen on >p@s/w?d resetkeys ~hilos:{q}:* resetchannels -@all +@stream \
               +@hash +@connection +@scripting +del +exists +pexpire +time";
    assert_eq!(server.command(acl), "+OK");
    let url = |password: &str| format!("redis://queen:{password}@127.0.0.1:{}/0", server.port);
    let right = url("p%40s%2Fw%3Fd");
    let _worker = Worker::start(&right, "q", &["--slots", "1"]);
    let pool = ClusterPool::new(&right, "q").unwrap();
    assert_eq!(pool.apply(square, (3,)).unwrap(), 9);
    let elsewhere = ClusterPool::new(&right, "other").unwrap();
    match elsewhere.apply(square, (3,)) {
        Err(error @ JobError::Broken(_)) => {
            assert!(error.to_string().contains("no permissions"), "{error}")
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.command("KEYS hilos:{other}:*"), "*0");
    let mut refused = Worker::start(&right, "other", &["--slots", "1"]);
    assert_eq!(refused.wait(), Some(1));
    let wrong = ClusterPool::new(&url("guess"), "q").unwrap_err();
    assert!(wrong.to_string().contains("authentication"), "{wrong}");
    assert_eq!(server.command("ACL SETUSER queen off"), "+OK");
    assert!(ClusterPool::new(&right, "q").is_err());
}

fn secrets_are_not_shown() {
    let server = Server::with_options(&["--requirepass", "sesame"]);
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}/0", server.port);
    let pool = ClusterPool::new(&url("sesame"), "q").unwrap();
    let builder = ClusterPool::builder(&url("sesame"), "q");
    let refused = ClusterPool::new(&url("mellon"), "q").unwrap_err();
    assert!(matches!(refused, Error::Server(_)), "{refused:?}");
    let wrong = ClusterPool::new("sesame://mellon", "q").unwrap_err();
    assert!(matches!(wrong, Error::Url(_)), "{wrong:?}");
    let executor = ClusterExecutor::from(pool.clone());
    let worker = cluster::Worker::new(&url("sesame"), "q");
    let shown =
        format!("{pool:?} {pool} {builder:?} {executor:?} {worker:?} {refused:?} {refused}");
    assert!(shown.contains("***@127.0.0.1"), "{shown}");
    assert!(
        !shown.contains("sesame") && !shown.contains("mellon"),
        "{shown}"
    );
}

/// A worker and a client that log everything, with a server that goes away and comes back.
fn secrets_are_not_logged() {
    let mut server = Server::with_options(&["--requirepass", "sesame"]);
    let url = format!("redis://:sesame@127.0.0.1:{}/0", server.port);
    let logs = ["worker.log", "client.log"].map(|name| server.file(name));
    let log = |program: &mut Command, at: usize| {
        let file = File::create(&logs[at]).unwrap();
        program.env(LOG, "trace").stderr(file);
    };
    let _worker = Worker::with(&url, "q", &["--slots", "1"], |program| {
        log(program, 0);
        program
    });
    let mut client = Command::new(std::env::current_exe().unwrap());
    log(client.args(["client", &url]), 1);
    let _client = Worker(client.spawn().unwrap());
    let says = |at: usize, what: &str| read_to_string(&logs[at]).unwrap().contains(what);
    until("the client submits", || says(1, "submit"));
    until("the worker has a task", || says(0, "function=\"nap\""));
    server.kill();
    for at in [0, 1] {
        until("it notices", || says(at, "lost the server"));
    }
    server.run();
    until("the client comes back", || says(1, "the server is back"));
    for at in [0, 1] {
        assert!(says(at, "***@127.0.0.1"), "it does not say which server");
        assert!(
            !says(at, "sesame"),
            "{}",
            read_to_string(&logs[at]).unwrap()
        );
    }
}

fn only_registered_functions() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    assert_eq!(pool.apply(square, (3,)).unwrap(), 9);
    // What a stranger has written, with a name that is none and with arguments that are none.
    for (function, args) in [("system", "rm"), ("square", "rm")] {
        let task = format!("XADD hilos:{{q}}:tasks * c x n 1 f {function} l 0 b 0 a {args}");
        server.command(&task);
    }
    assert_eq!(pool.apply(square, (4,)).unwrap(), 16);
    let status = status(&server.url(), "q").unwrap();
    assert_eq!((status.done, status.failed), (2, 2));
}

fn status_command() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "3"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    pool.with_chunksize(1).map(square, 0..20).unwrap();
    let run = |url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hilos"));
        command.args(["cluster", "status", "--queue", "q", "--url", url]);
        command.output().unwrap()
    };
    let shown = String::from_utf8(run(&server.url()).stdout).unwrap();
    for part in [
        "queued 0",
        "submitted 20, done 20",
        "workers 1, slots 3",
        "pid",
        "tasks a second",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let nowhere = run("redis://user:sesame@127.0.0.1:1/0");
    assert!(!nowhere.status.success());
    assert!(
        !String::from_utf8(nowhere.stderr)
            .unwrap()
            .contains("sesame")
    );
}
