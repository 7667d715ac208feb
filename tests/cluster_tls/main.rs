#![cfg(feature = "cluster_tls")]

//! Encrypted connections between clients, a real redis-server and workers.
//!
//! As with the other tests of the cluster, there is no test without a redis-server, which is a
//! failure with `CI=true` or `HILOS_REQUIRE_REDIS=1`.

#[allow(dead_code, reason = "it is another test's too")]
#[path = "../cluster/runner.rs"]
mod runner;
#[allow(dead_code, reason = "it is another test's too")]
#[path = "../cluster/server.rs"]
mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hilos::cluster::{self, ClusterPool, Error, status};

use runner::Case;
use server::{Server, Worker, free_port};

const CASES: &[Case] = &[
    ("tls::works", works),
    ("tls::stranger_is_refused", stranger_is_refused),
    ("tls::expired_is_refused", expired_is_refused),
    ("tls::nothing_goes_unencrypted", nothing_goes_unencrypted),
];

fn main() {
    cluster::register!(square);
    cluster::worker_main();
    client();
    runner::main(&[CASES]);
}

fn square(x: i64) -> i64 {
    x * x
}

/// This program as a client, since it believes the authority from its start or not at all.
fn client() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("client") {
        return;
    }
    let url = arguments.next().unwrap();
    match ClusterPool::new(&url, "q") {
        Ok(pool) => println!("{:?}", pool.map(square, 0..5).unwrap()),
        Err(error @ Error::Server(_)) => println!("refused: {error}"),
        Err(error) => panic!("{error:?}"),
    }
    println!("{:?}", status(&url, "q").map(|status| status.failed));
    std::process::exit(0);
}

fn certificate(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("asyncio_ssl/certificates").join(name)
}

/// A server with an encrypted port, and that.
fn encrypted(name: &str) -> (Server, u16) {
    let port = free_port();
    let file = |end: &str| certificate(&format!("{name}.{end}")).display().to_string();
    let server = Server::with_options(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("pem"),
        "--tls-key-file",
        &file("key"),
        "--tls-ca-cert-file",
        &certificate("authority.pem").display().to_string(),
        "--tls-auth-clients",
        "no",
    ]);
    let user = "ACL SETUSER hilos on >PASSWORD resetkeys ~hilos:* resetchannels -@all +@stream \
                +@hash +@connection +@scripting +del +exists +pexpire +time";
    assert_eq!(server.command(user), "+OK");
    (server, port)
}

fn url(port: u16) -> String {
    format!("rediss://hilos:PASSWORD@127.0.0.1:{port}/0")
}

/// Has a client that believes an authority do its task.
fn run(url: &str, authority: &str) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["client", url]);
    let Output { stdout, stderr, .. } = program
        .env("SSL_CERT_FILE", certificate(authority))
        .output()
        .unwrap();
    let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    assert!(!said.contains("PASSWORD"), "{said}");
    said
}

fn works() {
    let (_server, port) = encrypted("server");
    let authority = certificate("authority.pem");
    let _worker = Worker::with(&url(port), "q", &["--slots", "1"], |program| {
        program.env("SSL_CERT_FILE", authority)
    });
    let said = run(&url(port), "authority.pem");
    assert_eq!(said, "[0, 1, 4, 9, 16]\nOk(0)\n");
    let by_name = url(port).replace("127.0.0.1", "localhost");
    assert_eq!(run(&by_name, "authority.pem"), said);
}

/// A server whose certificate is of an authority that the client does not believe.
fn stranger_is_refused() {
    let (_server, port) = encrypted("server");
    let said = run(&url(port), "itself.pem");
    assert!(
        said.contains("refused") && said.contains("certificate"),
        "{said}"
    );
}

fn expired_is_refused() {
    let (_server, port) = encrypted("expired");
    let said = run(&url(port), "authority.pem");
    assert!(
        said.contains("refused") && said.to_lowercase().contains("expired"),
        "{said}"
    );
}

/// A client that does not encrypt gets nowhere at an encrypted port.
fn nothing_goes_unencrypted() {
    let (_server, port) = encrypted("server");
    let plain = url(port).replace("rediss:", "redis:");
    let said = run(&plain, "authority.pem");
    assert!(said.contains("refused"), "{said}");
}
