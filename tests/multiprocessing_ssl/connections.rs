//! Encrypted connections.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hilos::multiprocessing::connection::{
    Address, Connection, Listener, client, client_with_ssl, pipe, wait,
};
use hilos::multiprocessing::{Error, Process};
use hilos::ssl::SslContext;

use crate::certificates::{believing, showing};
use crate::parties::{demanding, known, ssl_error};
use crate::support::LONG;

const KEY: &[u8] = b"a key that nobody sees";

fn listener(context: &SslContext) -> Listener {
    let listener = Listener::new(("127.0.0.1", 0)).unwrap().with_authkey(KEY);
    let listener = listener.with_ssl(context).unwrap();
    listener.with_handshake_timeout(Duration::from_secs(20))
}

/// Both ends, as far as there are any.
fn connect(
    listener: &Listener,
    context: &SslContext,
    key: &[u8],
) -> (Result<Connection, Error>, Result<Connection, Error>) {
    let address = listener.address().clone();
    std::thread::scope(|scope| {
        let called = scope.spawn(move || client_with_ssl(address, Some(key), context));
        let accepted = listener.accept_timeout(LONG);
        (accepted, called.join().unwrap())
    })
}

fn pair() -> (Connection, Connection) {
    let (accepted, called) = connect(&listener(&showing("server")), &believing(), KEY);
    (accepted.unwrap(), called.unwrap())
}

#[test]
fn messages_of_any_length_in_both_directions_at_once() {
    let (one, other) = pair();
    let lengths = [0, 1, 16_380, 16_384, 70_000, 0, 20_000_000, 3];
    let message = |length: usize| -> Vec<u8> { (0..length).map(|place| place as u8).collect() };
    std::thread::scope(|scope| {
        for (from, to) in [(&one, &other), (&other, &one)] {
            scope.spawn(move || {
                for length in lengths {
                    from.send_bytes(&message(length)).unwrap();
                }
                from.send(&("text", vec![1.5; 100_000])).unwrap();
            });
            scope.spawn(move || {
                for length in lengths {
                    assert!(to.recv_bytes().unwrap() == message(length), "{length}");
                }
                let (text, numbers): (String, Vec<f64>) = to.recv().unwrap();
                assert_eq!((&*text, numbers.len()), ("text", 100_000));
            });
        }
    });
    drop(one);
    assert!(matches!(other.recv_bytes(), Err(Error::Eof)));
}

#[test]
fn nothing_to_read_is_nothing_to_read() {
    let (one, other) = pair();
    for connection in [&one, &other] {
        assert!(!connection.poll(0.05).unwrap());
        let late = connection.recv_timeout::<u8, _>(0.05);
        assert!(matches!(late, Err(Error::Timeout)));
    }
    for number in 0..100 {
        one.send(&number).unwrap();
    }
    // What has been decrypted ahead is there without a look at the socket.
    for number in 0..100 {
        assert!(other.poll(LONG).unwrap());
        assert_eq!(wait(&[&other], LONG).unwrap().len(), 1);
        assert_eq!(other.recv::<i32>().unwrap(), number);
    }
    assert!(!other.poll(0).unwrap());
    assert!(wait(&[&other, &one], 0.05).unwrap().is_empty());
}

#[test]
fn a_server_that_is_not_believed_is_left() {
    let reasons = [
        ("alone", "unable to get local issuer certificate"),
        ("expired", "certificate has expired"),
    ];
    for (name, reason) in reasons {
        let (accepted, called) = connect(&listener(&showing(name)), &believing(), KEY);
        let error = called.unwrap_err();
        assert!(ssl_error(&error).is_verification());
        let text = format!("{error:?}");
        let begin = "SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]";
        assert!(text.starts_with(begin) && text.contains(reason), "{text}");
        // The server is told.
        assert!(!ssl_error(&accepted.unwrap_err()).is_verification());
    }
    // The certificate is for one address of the loopback, not for all.
    let everywhere = Listener::new(("0.0.0.0", 0)).unwrap();
    let listener = everywhere.with_ssl(&showing("server")).unwrap();
    let Address::Inet(_, port) = *listener.address() else {
        panic!("a port")
    };
    let accepting = std::thread::spawn(move || listener.accept_timeout(LONG).map(drop));
    let error = client_with_ssl(("127.0.0.2", port), None, &believing()).unwrap_err();
    assert!(ssl_error(&error).is_verification(), "{error:?}");
    assert!(accepting.join().unwrap().is_err());
}

#[test]
fn a_client_shows_its_certificate_where_that_is_asked_for() {
    let demanding = demanding();
    let (accepted, called) = connect(&listener(&demanding), &known("server"), KEY);
    called.unwrap().send(&5).unwrap();
    assert_eq!(accepted.unwrap().recv::<i32>().unwrap(), 5);
    for stranger in [believing(), known("alone")] {
        let (accepted, called) = connect(&listener(&demanding), &stranger, KEY);
        assert!(
            ssl_error(&accepted.unwrap_err())
                .to_string()
                .starts_with("[SSL")
        );
        let text = ssl_error(&called.unwrap_err()).to_string();
        assert!(text.contains("the other side refuses"), "{text}");
    }
}

#[test]
fn the_key_is_asked_for_as_ever() {
    let (accepted, called) = connect(&listener(&showing("server")), &believing(), b"wrong");
    assert!(matches!(accepted, Err(Error::Authentication(_))));
    let error = called.unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "AuthenticationError: digest sent was rejected"
    );
}

#[test]
fn one_side_alone_does_not_encrypt() {
    let hasty = listener(&showing("server")).with_handshake_timeout(Duration::from_millis(100));
    let address = hasty.address().clone();
    let plain = std::thread::spawn(move || client(address, Some(KEY)).map(drop));
    assert!(matches!(hasty.accept_timeout(LONG), Err(Error::Timeout)));
    assert!(matches!(plain.join().unwrap(), Err(Error::Eof)));

    let plain = Listener::new(("127.0.0.1", 0)).unwrap().with_authkey(KEY);
    let (accepted, called) = connect(&plain, &believing(), KEY);
    assert!(accepted.is_err());
    assert!(!ssl_error(&called.unwrap_err()).is_verification());

    let unix = Listener::new(None).unwrap();
    let address = unix.address().clone();
    let error = client_with_ssl(address, None, &believing()).unwrap_err();
    assert!(matches!(error, Error::Value(_)));
    assert!(matches!(
        unix.with_ssl(&showing("server")),
        Err(Error::Value(_))
    ));
    let bare = Listener::new(("127.0.0.1", 0)).unwrap();
    let error = bare.with_ssl(&SslContext::new()).unwrap_err();
    assert!(format!("{error:?}").starts_with("ValueError: a server needs a certificate"));
}

/// Passes everything on, and keeps a copy.
fn tap(target: Address) -> (Address, Arc<Mutex<Vec<u8>>>) {
    let Address::Inet(host, port) = target else {
        panic!("an address of the network")
    };
    let tap = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, seen) = (tap.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let copy = seen.clone();
    std::thread::spawn(move || {
        let caller = tap.accept().unwrap().0;
        let target = TcpStream::connect((host, port)).unwrap();
        let pass = |mut from: TcpStream, mut to: TcpStream, seen: Arc<Mutex<Vec<u8>>>| {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                seen.lock().unwrap().extend(&buffer[..count]);
                to.write_all(&buffer[..count]).unwrap();
            }
            let _ = to.shutdown(Shutdown::Write);
        };
        let (from, to) = (caller.try_clone().unwrap(), target.try_clone().unwrap());
        let theirs = copy.clone();
        std::thread::spawn(move || pass(from, to, theirs));
        pass(target, caller, copy);
    });
    (address.into(), seen)
}

#[test]
fn who_listens_in_learns_nothing() {
    let listener = listener(&showing("server"));
    let (address, seen) = tap(listener.address().clone());
    let caller = std::thread::spawn(move || {
        let connection = client_with_ssl(address, Some(KEY), &believing()).unwrap();
        connection.send_bytes(b"a secret of theirs").unwrap();
        assert_eq!(connection.recv_bytes().unwrap(), b"a secret of ours");
    });
    let connection = listener.accept_timeout(LONG).unwrap();
    assert_eq!(connection.recv_bytes().unwrap(), b"a secret of theirs");
    connection.send_bytes(b"a secret of ours").unwrap();
    caller.join().unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 500);
    for word in [&b"secret"[..], b"#CHALLENGE#", b"#WELCOME#", b"sha256}"] {
        assert!(!seen.windows(word.len()).any(|part| part == word));
    }
}

#[test]
fn it_stays_with_its_process() {
    let (one, _other) = pair();
    let (ours, _theirs) = pipe(true).unwrap();
    let error = ours.send(&one).unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
    let process = Process::new(drop::<Connection>, (one,));
    assert!(process.start().is_err());
}
