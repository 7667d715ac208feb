//! Who may do what, and what is never shown.

use std::process::Command;

use hilos::cluster::{ClusterPool, Error, status};

use crate::functions::square;
use crate::runner::Case;
use crate::server::{Server, Worker};

pub(crate) const CASES: &[Case] = &[
    ("security::limited_user", limited_user),
    ("security::secrets_are_not_shown", secrets_are_not_shown),
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
         +@connection +@scripting +del +exists +pexpire +pttl +time",
    );
    assert_eq!(reply, "+OK");
    let url = format!("redis://hilos:PASSWORD@127.0.0.1:{}/0", server.port);
    let _worker = Worker::start(&url, "q", &["--slots", "1"]);
    let pool = ClusterPool::new(&url, "q").unwrap();
    let pool = pool.with_chunksize(25);
    assert_eq!(pool.map(square, 0..100).unwrap().len(), 100);
    assert_eq!(status(&url, "q").unwrap().submitted, 4);
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
    let shown = format!("{pool:?} {pool} {builder:?} {refused:?} {refused}");
    assert!(shown.contains("***@127.0.0.1"), "{shown}");
    assert!(
        !shown.contains("sesame") && !shown.contains("mellon"),
        "{shown}"
    );
}

fn only_registered_functions() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    assert_eq!(pool.apply(square, (3,)).unwrap(), 9);
    // What a stranger has written, with a name that is none and with arguments that are none.
    for (function, args) in [("system", "rm"), ("square", "rm")] {
        let task = format!("XADD hilos:{{q}}:tasks * c x n 1 f {function} l 0 a {args}");
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
