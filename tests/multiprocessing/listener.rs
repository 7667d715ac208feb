//! `Listener` and `Client`, between hilos and hilos and between hilos and CPython.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use hilos::multiprocessing::connection::{
    Address, Connection, Family, Listener, answer_challenge, client, deliver_challenge, pipe,
};
use hilos::multiprocessing::{Error, Process, StartMethod};
use hilos::threading::Thread;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::socket::{getsockopt, sockopt::KeepAlive};

use crate::misc::duplicate;
use crate::python;
use crate::support::{LONG, each_start_method, run_to_end};

const FAMILIES: [Family; 3] = [Family::Inet, Family::Inet6, Family::Unix];

fn listener(family: Family) -> Listener {
    Listener::new(Address::arbitrary(family).unwrap()).unwrap()
}

// cpython: _test_multiprocessing.py::_TestListener::test_multiple_bind
#[test]
fn an_address_is_listened_at_once() {
    for family in FAMILIES {
        let first = listener(family);
        let again = Listener::new(first.address().clone());
        assert!(matches!(again, Err(Error::Os(_))), "{family:?}");
    }
}

// cpython: _test_multiprocessing.py::_TestListener::test_context
#[test]
fn a_closed_listener_accepts_nobody() {
    let listener = Listener::new(None).unwrap();
    let Address::Unix(path) = listener.address().clone() else {
        panic!("a Unix socket")
    };
    assert!(path.exists());
    let caller = client(listener.address().clone(), None).unwrap();
    let connection = listener.accept().unwrap();
    caller.send(&1729).unwrap();
    assert_eq!(connection.recv::<i32>().unwrap(), 1729);
    assert!(matches!(listener.accept_timeout(0.02), Err(Error::Timeout)));
    listener.close();
    assert_eq!(
        listener.accept().unwrap_err().to_string(),
        "listener is closed"
    );
    assert!(
        !path.parent().unwrap().exists(),
        "its socket and directory are removed"
    );
    assert!(matches!(client(path, None), Err(Error::Os(_))));
    // What was accepted before goes on.
    connection.send(&2).unwrap();
    assert_eq!(caller.recv::<i32>().unwrap(), 2);
}

// cpython: _test_multiprocessing.py::_TestListener::test_empty_authkey
#[test]
fn an_empty_key_is_a_key() {
    let listener = Listener::new(None).unwrap().with_authkey(b"");
    let address = listener.address().clone();
    let caller = Thread::returning(move || client(address, Some(b"")).unwrap().send(&1729));
    caller.start().unwrap();
    assert_eq!(listener.accept().unwrap().recv::<i32>().unwrap(), 1729);
    caller.join(None).unwrap().unwrap();
}

// cpython: _test_multiprocessing.py::_TestListener::test_abstract_socket
#[test]
fn a_name_outside_of_the_file_system() {
    let name = format!("\0hilos-{}", std::process::id());
    let listener = Listener::new(name.as_str()).unwrap();
    assert!(matches!(listener.address(), Address::Abstract(_)));
    let caller = client(listener.address().clone(), None).unwrap();
    let connection = listener.accept().unwrap();
    caller.send(&1729).unwrap();
    assert_eq!(connection.recv::<i32>().unwrap(), 1729);
}

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestListenerClient::test_listener_client
    // cpython: _test_multiprocessing.py::_TestListenerClient::test_issue14725
    fn a_process_calls(method: StartMethod) {
        fn child(address: Address) -> Result<(), Error> {
            client(address, None)?.send("hello")
        }
        for family in FAMILIES {
            let listener = listener(family);
            let process = Process::new(child, (listener.address().clone(),));
            let process = process.with_start_method(method);
            process.start().unwrap();
            // It may call, write and be gone before it is accepted.
            if family == Family::Unix {
                process.join(LONG).unwrap();
            }
            let connection = listener.accept().unwrap();
            assert_eq!(connection.recv::<String>().unwrap(), "hello");
            process.join(LONG).unwrap();
        }
    }
}

// cpython: _test_multiprocessing.py::_TestListenerClient::test_issue16955
#[test]
fn what_was_sent_before_a_close_arrives() {
    for family in FAMILIES {
        let listener = listener(family);
        let caller = client(listener.address().clone(), None).unwrap();
        let connection = listener.accept().unwrap();
        connection.send_bytes(b"hello").unwrap();
        connection.close();
        assert!(caller.poll(LONG).unwrap());
        assert_eq!(caller.recv_bytes().unwrap(), b"hello");
        assert!(matches!(caller.recv_bytes(), Err(Error::Eof)));
        if family != Family::Unix {
            assert_eq!(listener.last_accepted().unwrap().family(), family);
        }
    }
}

// cpython: _test_multiprocessing.py::TestInvalidFamily::test_invalid_family
#[test]
fn a_family_that_is_not_there() {
    for error in [
        Listener::new(r"\\.\test").map(drop).unwrap_err(),
        client(r"\\.\test", None).map(drop).unwrap_err(),
        "AF_PIPE".parse::<Family>().unwrap_err(),
    ] {
        assert!(matches!(error, Error::Value(_)));
        assert_eq!(error.to_string(), "Family AF_PIPE is not recognized.");
    }
    assert_eq!("AF_UNIX".parse::<Family>().unwrap(), Family::Unix);
    assert_eq!("AF_INET6".parse::<Family>().unwrap(), Family::Inet6);
}

/// Both parts of a handshake, each in a thread of its own.
fn challenge(ours: &[u8], theirs: &'static [u8]) -> (Result<(), Error>, Result<(), Error>) {
    let (one, other) = pipe(true).unwrap();
    let answer = Thread::returning(move || answer_challenge(&other, theirs));
    answer.start().unwrap();
    (deliver_challenge(&one, ours), answer.join(None).unwrap())
}

// cpython: _test_multiprocessing.py::ChallengeResponseTest::test_challengeresponse
#[test]
fn who_knows_the_key_is_welcome() {
    for key in [&b""[..], b"a", b"key", &[b'x'; 200]] {
        let (delivered, answered) = challenge(key, Box::leak(key.into()));
        delivered.unwrap();
        answered.unwrap();
    }
    let (delivered, answered) = challenge(b"key", b"another");
    assert_eq!(
        format!("{:?}", delivered.unwrap_err()),
        "AuthenticationError: digest received was wrong"
    );
    assert_eq!(
        format!("{:?}", answered.unwrap_err()),
        "AuthenticationError: digest sent was rejected"
    );
}

// cpython: _test_multiprocessing.py::OtherTest::test_deliver_challenge_auth_failure
#[test]
fn a_bogus_answer_is_refused() {
    let (one, other) = pipe(true).unwrap();
    other.send_bytes(b"something bogus").unwrap();
    assert!(matches!(
        deliver_challenge(&one, b"abc"),
        Err(Error::Authentication(_))
    ));
    assert!(
        other
            .recv_bytes()
            .unwrap()
            .starts_with(b"#CHALLENGE#{sha256}")
    );
    assert_eq!(other.recv_bytes().unwrap(), b"#FAILURE#");
}

// cpython: _test_multiprocessing.py::OtherTest::test_answer_challenge_auth_failure
#[test]
fn a_bogus_challenge_is_refused() {
    for challenge in [
        &b"#CHALLENGE#"[..],
        b"hello",
        b"#CHALLENGE#{sha1}01234567890123456789",
    ] {
        let (one, other) = pipe(true).unwrap();
        other.send_bytes(challenge).unwrap();
        assert!(matches!(
            answer_challenge(&one, b"abc"),
            Err(Error::Authentication(_))
        ));
        one.close();
        assert!(
            matches!(other.recv_bytes(), Err(Error::Eof)),
            "nothing was told"
        );
    }
    let (one, other) = pipe(true).unwrap();
    other
        .send_bytes(b"#CHALLENGE#01234567890123456789")
        .unwrap();
    other.send_bytes(b"something bogus").unwrap();
    let error = answer_challenge(&one, b"abc").unwrap_err();
    assert_eq!(error.to_string(), "digest sent was rejected");
}

#[test]
fn a_wrong_key_and_a_silent_caller_do_not_stop_the_others() {
    let listener = Listener::new(("127.0.0.1", 0))
        .unwrap()
        .with_authkey(b"right");
    let listener = listener.with_handshake_timeout(Duration::from_millis(50));
    let listener = listener.with_backlog(16).unwrap();
    let address = listener.address().clone();
    let silent = client(address.clone(), None).unwrap();
    assert!(matches!(listener.accept(), Err(Error::Timeout)));
    drop(silent);
    let theirs = address.clone();
    let wrong = Thread::returning(move || client(theirs, Some(b"wrong")).map(drop));
    wrong.start().unwrap();
    assert!(matches!(listener.accept(), Err(Error::Authentication(_))));
    assert!(matches!(
        wrong.join(None).unwrap(),
        Err(Error::Authentication(_) | Error::Eof)
    ));
    let garbage = std::net::TcpStream::connect(match &address {
        Address::Inet(host, port) => (host.clone(), *port),
        other => panic!("{other}"),
    });
    std::io::Write::write_all(&mut garbage.unwrap(), &[0xff; 64]).unwrap();
    assert!(listener.accept().is_err());
    let right = Thread::returning(move || client(address, Some(b"right")).unwrap().send(&1));
    right.start().unwrap();
    assert_eq!(listener.accept().unwrap().recv::<i32>().unwrap(), 1);
    right.join(None).unwrap().unwrap();
    assert!(!format!("{listener:?}").contains("right"));
}

#[test]
fn descriptors_do_not_travel_over_a_network() {
    let listener = listener(Family::Inet);
    let caller = client(listener.address().clone(), None).unwrap();
    let error = caller
        .send(&hilos::multiprocessing::Lock::new().unwrap())
        .unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
    let large = vec![7_u64; 1_000_000];
    let connection = listener.accept().unwrap();
    let theirs = large.clone();
    let sender = Thread::returning(move || caller.send(&theirs));
    sender.start().unwrap();
    assert_eq!(connection.recv::<Vec<u64>>().unwrap(), large);
    sender.join(None).unwrap().unwrap();
}

extern "C" fn nothing(_: i32) {}

// cpython: _test_multiprocessing.py::TestIgnoreEINTR::test_ignore_listener
#[test]
fn a_signal_does_not_end_an_accept() {
    fn child(connection: Connection) -> Result<(), Error> {
        let action = SigAction::new(
            SigHandler::Handler(nothing),
            SaFlags::empty(),
            SigSet::empty(),
        );
        // SAFETY: the handler does nothing.
        unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
        let listener = Listener::new(None)?;
        connection.send(listener.address())?;
        listener.accept()?.send("welcome")
    }
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(child, (theirs,));
    process.start().unwrap();
    let address: Address = ours.recv().unwrap();
    let pid = nix::unistd::Pid::from_raw(process.pid().unwrap() as i32);
    for _ in 0..10 {
        kill(pid, Signal::SIGUSR1).unwrap();
        std::thread::yield_now();
    }
    assert_eq!(
        client(address, None).unwrap().recv::<String>().unwrap(),
        "welcome"
    );
    process.join(LONG).unwrap();
    assert_eq!(process.exitcode(), Some(0));
}

/// Connects, sends back what it gets in capitals, until the other side ends.
const CALLER: &str = r#"
import sys
from multiprocessing.connection import Client
address = sys.argv[1] if sys.argv[2] == "0" else (sys.argv[1], int(sys.argv[2]))
with Client(address, authkey=b"secret") as connection:
    try:
        while True:
            connection.send_bytes(connection.recv_bytes().upper())
    except EOFError:
        pass
"#;

/// Listens, says where, and sends back what comes in capitals.
const LISTENER: &str = r#"
import sys
from multiprocessing.connection import Listener
with Listener(family=sys.argv[1], authkey=b"secret") as listener:
    address = listener.address
    print("says", address if isinstance(address, str) else "%s %d" % address, flush=True)
    with listener.accept() as connection:
        try:
            while True:
                connection.send_bytes(connection.recv_bytes().upper())
        except EOFError:
            pass
"#;

fn check_echo(connection: &Connection) {
    for text in [&b"hello"[..], b"", &[b'x'; 20_000], &[b'y'; 3_000_000]] {
        connection.send_bytes(text).unwrap();
        assert_eq!(connection.recv_bytes().unwrap(), text.to_ascii_uppercase());
    }
    connection.close();
}

#[test]
fn cpython_calls() {
    for family in [Family::Inet, Family::Unix] {
        let listener = listener(family).with_authkey(b"secret");
        let (host, port) = match listener.address() {
            Address::Inet(host, port) => (host.clone(), *port),
            Address::Unix(path) => (path.display().to_string(), 0),
            other => panic!("{other}"),
        };
        let Some(caller) = python::start(CALLER, &[&host, &port.to_string()]) else {
            return;
        };
        check_echo(&listener.accept_timeout(LONG).unwrap());
        let (status, errors) = caller.finish();
        assert!(status.success(), "{errors}");
    }
}

#[test]
fn cpython_is_called() {
    for family in ["AF_INET", "AF_UNIX"] {
        let Some(mut listener) = python::start(LISTENER, &[family]) else {
            return;
        };
        let line = listener.line();
        let address = match line.trim().split_once(' ') {
            Some((host, port)) => Address::from((host, port.parse().unwrap())),
            None => Address::from(line.trim()),
        };
        check_echo(&client(address, Some(b"secret")).unwrap());
        let (status, errors) = listener.finish();
        assert!(status.success(), "{errors}");
    }
}

#[test]
fn cpython_with_another_key() {
    let script = CALLER.replace("secret", "another");
    let listener = listener(Family::Unix).with_authkey(b"secret");
    let Address::Unix(path) = listener.address().clone() else {
        panic!("a path")
    };
    let Some(caller) = python::start(&script, &[&path.display().to_string(), "0"]) else {
        return;
    };
    assert!(matches!(
        listener.accept_timeout(LONG),
        Err(Error::Authentication(_))
    ));
    let (status, errors) = caller.finish();
    assert!(!status.success());
    assert!(
        errors.contains("AuthenticationError: digest sent was rejected"),
        "{errors}"
    );
}

#[test]
fn a_host_that_is_gone_is_noticed() {
    for family in [Family::Inet, Family::Inet6] {
        let listener = listener(family);
        let caller = client(listener.address().clone(), None).unwrap();
        for connection in [caller, listener.accept().unwrap()] {
            assert!(getsockopt(&duplicate(&connection), KeepAlive).unwrap());
        }
    }
}

#[test]
fn a_silent_caller_does_not_prolong_a_timeout() {
    let listener = listener(Family::Unix).with_authkey(b"key");
    let listener = listener.with_handshake_timeout(Duration::from_secs(1000));
    let _silent = client(listener.address().clone(), None).unwrap();
    assert!(matches!(listener.accept_timeout(0.05), Err(Error::Timeout)));
}

#[test]
fn a_forked_child_leaves_the_socket_to_its_parent() {
    static LISTENER: OnceLock<Listener> = OnceLock::new();
    let listener = LISTENER.get_or_init(|| listener(Family::Unix));
    let child = Process::forked(|| LISTENER.get().unwrap().close());
    run_to_end(&child);
    let caller = client(listener.address().clone(), None).unwrap();
    listener.accept().unwrap().send(&1).unwrap();
    assert_eq!(caller.recv::<i32>().unwrap(), 1);
    listener.close();
}

#[test]
fn an_empty_address_is_a_new_one() {
    let listener = Listener::new("").unwrap();
    let caller = client(listener.address().clone(), None).unwrap();
    caller.send(&1).unwrap();
    assert_eq!(listener.accept().unwrap().recv::<i32>().unwrap(), 1);
}

#[test]
fn an_address_of_a_link_names_it() {
    let within: SocketAddr = "[fe80::1%3]:80".parse().unwrap();
    assert_eq!(Address::from(within).to_string(), "('fe80::1%3', 80)");
}
