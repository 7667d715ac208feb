//! Recorded requests and handshakes with mistakes in them: nothing panics, and a server goes on.

use std::io::Write;
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::{
    Address, Connection, Listener, answer_challenge, client, deliver_challenge,
};
use hilos::pickle::{Dict, Object, Tuple, dumps, dumps_with_protocol, loads};

use crate::serving::{KEY, Serving};
use mutate::{Dice, mutate};

#[path = "../pickle/mutate.rs"]
mod mutate;

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}

/// The recorded calls of methods, to each of these objects.
fn requests(idents: &[String]) -> Vec<Vec<u8>> {
    let traffic = include_str!("../pickle/traffic.txt").lines().map(bytes);
    let calls = traffic.filter_map(|message| match loads(&message).unwrap() {
        Object::Tuple(call) if call.len() == 4 => Some(call),
        _ => None,
    });
    let to = |call: &Tuple, ident: &String| {
        let rest = call[1..].iter().cloned();
        let call = Tuple::from_iter([Object::from(&**ident)].into_iter().chain(rest));
        dumps_with_protocol(&Object::from(call), 4).unwrap()
    };
    let each = |call| idents.iter().map(|ident| to(&call, ident)).collect();
    calls.flat_map(|call| -> Vec<_> { each(call) }).collect()
}

#[test]
fn mutated_requests_are_answered() {
    let serving = Serving::start(|_| {});
    let manager = serving.client();
    let objects: Vec<_> = ["list", "dict", "set", "Namespace", "Event"]
        .iter()
        .map(|typeid| manager.create(typeid, ()).unwrap())
        .collect();
    let idents: Vec<_> = objects.iter().map(|it| it.token().id.clone()).collect();
    let requests = requests(&idents);
    let connection = client(serving.server.address().clone(), Some(KEY.as_bytes())).unwrap();
    let begin = Object::from((Object::None, "accept_connection", ("me",), Dict::new()));
    assert_eq!(exchange(&connection, &dumps(&begin).unwrap()), "#RETURN");

    let mut dice = Dice::new(0x2545_f491_4f6c_dd1d);
    let mut understood = 0;
    for _ in 0..5_000 {
        let mut message = requests[dice.roll(requests.len())].clone();
        mutate(
            &mut message,
            &requests[dice.roll(requests.len())],
            &mut dice,
        );
        // An event's wait could take for ever.
        if !message.windows(4).any(|window| window == b"wait") {
            understood += usize::from(exchange(&connection, &message) != "#TRACEBACK");
        }
    }
    // Few are: most of a request is the name of its object, which is another one in each run.
    assert!(understood > 0, "none was understood");
}

/// Sends a message, and says what kind of reply comes.
fn exchange(connection: &Connection, message: &[u8]) -> String {
    connection.send_bytes(message).unwrap();
    assert!(connection.poll(60).unwrap(), "no reply to {message:?}");
    let (kind, _): (String, Object) = loads(&connection.recv_bytes().unwrap()).unwrap();
    kind
}

#[test]
fn mutated_handshakes_are_refused() {
    let name = format!("hilos-mutations-{}", std::process::id()).into_bytes();
    let listener = Listener::new(Address::Abstract(name.clone())).unwrap();
    let recorded = include_str!("../../crates/multiprocessing/src/connection/handshake.tsv");
    let mut dice = Dice::new(0x1357_9bdf_2468_ace1);
    let mut welcome = 0;
    for line in recorded.lines().cycle().take(2_000) {
        let fields: Vec<_> = line.split('\t').map(bytes).collect();
        let challenge = framed(&[b"#CHALLENGE#", &fields[1][..]].concat());
        let (mut first, mut second) = (challenge, framed(&fields[2]));
        first.extend(framed(b"#WELCOME#"));
        mutate(&mut first, &second, &mut dice);
        let answered = |connection: &Connection| answer_challenge(connection, &fields[0]);
        welcome += usize::from(say(&listener, &name, &first, answered).is_ok());
        mutate(&mut second, &first, &mut dice);
        let delivered = |connection: &Connection| deliver_challenge(connection, &fields[0]);
        let refused = say(&listener, &name, &second, delivered);
        // It was the answer to another challenge.
        assert!(matches!(
            refused,
            Err(Error::Authentication(_) | Error::Os(_) | Error::Eof)
        ));
    }
    assert!((1..1_000).contains(&welcome), "{welcome} were welcome");
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

/// What comes of a peer that says this and hangs up.
fn say(
    listener: &Listener,
    name: &[u8],
    said: &[u8],
    hear: impl FnOnce(&Connection) -> Result<(), Error>,
) -> Result<(), Error> {
    let address = SocketAddr::from_abstract_name(name).unwrap();
    let mut peer = UnixStream::connect_addr(&address).unwrap();
    peer.write_all(said).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    hear(&listener.accept().unwrap())
}
