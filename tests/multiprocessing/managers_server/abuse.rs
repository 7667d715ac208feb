//! Clients that do not behave: the server goes on, and so do the others.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::{Address, Connection, client};
use hilos::multiprocessing::managers::SyncManager;
use hilos::pickle::{Dict, List, Object, Tuple, dumps, dumps_with_protocol, loads};

use super::{KEY, Serving};

/// Sends bytes and reads the reply.
fn exchange(connection: &Connection, request: &[u8]) -> (String, Object) {
    connection.send_bytes(request).unwrap();
    assert!(connection.poll(60).unwrap(), "no reply");
    loads(&connection.recv_bytes().unwrap()).unwrap()
}

fn request<A: Into<Object>>(ident: Option<&str>, method: &str, args: A) -> Vec<u8> {
    let ident = ident.map_or(Object::None, Object::from);
    dumps(&Object::from((ident, method, args, Dict::new()))).unwrap()
}

fn connect(serving: &Serving) -> Connection {
    client(serving.server.address().clone(), Some(KEY.as_bytes())).unwrap()
}

/// A connection on which calls are served, and the name of a list.
fn session(serving: &Serving) -> (Connection, String) {
    let (kind, value) = exchange(&connect(serving), &request(None, "create", ("list",)));
    assert_eq!(kind, "#RETURN");
    let ident = Tuple::try_from(&value).unwrap()[0].to_string();
    let connection = connect(serving);
    let reply = exchange(&connection, &request(None, "accept_connection", ("name",)));
    assert_eq!(reply, ("#RETURN".to_string(), Object::None));
    (connection, ident)
}

#[test]
fn a_bad_request_ends_neither_the_connection_nor_the_server() {
    let serving = Serving::start(|_| {});
    let (connection, list) = session(&serving);
    let list = Some(&*list);
    let empty = || Object::from(Tuple::new());
    let refused: [(Vec<u8>, &str); 8] = [
        (b"garbage".to_vec(), "UnpicklingError"),
        (
            b"\x80\x04N.".to_vec(),
            "TypeError: 'NoneType' object is not iterable",
        ),
        (
            dumps(&(1, 2)).unwrap(),
            "ValueError: not enough values to unpack (expected 4, got 2)",
        ),
        (
            dumps(&(1, 2, 3, 4, 5)).unwrap(),
            "ValueError: too many values to unpack (expected 4, got 5)",
        ),
        (
            request(Some("no such"), "append", (1,)),
            "KeyError: 'no such'",
        ),
        (request(list, "__class__", empty()), "KeyError: '__class__'"),
        (
            request(list, "append", 5),
            "TypeError: 'int' object is not iterable",
        ),
        (b"\x80\x04\x8b\xff\xff\xff\x7f".to_vec(), "UnpicklingError"),
    ];
    for (bytes, expected) in refused {
        let (kind, text) = exchange(&connection, &bytes);
        assert_eq!(kind, "#TRACEBACK", "{text}");
        assert!(text.to_string().contains(expected), "{expected}: {text}");
    }
    let (kind, error) = exchange(&connection, &request(list, "pop", empty()));
    assert_eq!(kind, "#ERROR");
    assert_eq!(error.to_string(), "IndexError('pop from empty list')");
    let reply = exchange(&connection, &request(list, "append", ("still here",)));
    assert_eq!(reply.0, "#RETURN");
}

#[test]
fn functions_of_the_server_refuse_what_they_do_not_know() {
    let serving = Serving::start(|_| {});
    let token = Object::from(("no", "token"));
    let unknown = [
        (
            request(None, "serve_client", Tuple::new()),
            "AssertionError: 'serve_client' unrecognized",
        ),
        (
            request(None, "create", Tuple::new()),
            "TypeError: Server.create() missing",
        ),
        (request(None, "create", ("nothing",)), "KeyError: 'nothing'"),
        (request(None, "incref", ("f00",)), "KeyError: 'f00'"),
        (request(None, "decref", ("f00",)), "KeyError: 'f00'"),
        (
            request(None, "get_methods", (token,)),
            "TypeError: expected Token",
        ),
        (request(None, "dummy", (1,)), "TypeError: Server.dummy()"),
        (b"\x80".to_vec(), "pickle data was truncated"),
    ];
    for (bytes, expected) in unknown {
        let connection = connect(&serving);
        let (kind, text) = exchange(&connection, &bytes);
        assert_eq!(kind, "#TRACEBACK", "{text}");
        assert!(text.to_string().contains(expected), "{expected}: {text}");
        assert!(
            matches!(connection.recv_bytes(), Err(Error::Eof)),
            "it hangs up"
        );
    }
}

#[test]
fn requests_may_come_before_the_replies_are_read() {
    let serving = Serving::start(|_| {});
    let (connection, list) = session(&serving);
    for number in 0..100 {
        connection
            .send_bytes(&request(Some(&list), "append", (number,)))
            .unwrap();
    }
    connection
        .send_bytes(&request(Some(&list), "__len__", Tuple::new()))
        .unwrap();
    for _ in 0..100 {
        let reply: (String, Object) = loads(&connection.recv_bytes().unwrap()).unwrap();
        assert_eq!(reply, ("#RETURN".to_string(), Object::None));
    }
    let reply: (String, Object) = loads(&connection.recv_bytes().unwrap()).unwrap();
    assert_eq!(reply.1, Object::from(100));
}

#[test]
fn a_deep_value_is_a_value() {
    let serving = Serving::start(|_| {});
    let (connection, list) = session(&serving);
    let mut deep = Object::from(List::new());
    for _ in 0..100_000 {
        deep = Object::from(vec![deep]);
    }
    let reply = exchange(&connection, &request(Some(&list), "append", (&deep,)));
    assert_eq!(reply.0, "#RETURN");
    let (_, back) = exchange(&connection, &request(Some(&list), "pop", Tuple::new()));
    assert!(back == deep);
    let reply = exchange(&connection, &request(Some(&list), "__repr__", Tuple::new()));
    assert_eq!(reply.1, Object::from("[]"));
}

#[test]
fn an_old_protocol_is_understood() {
    let serving = Serving::start(|_| {});
    let (connection, list) = session(&serving);
    for protocol in 2..=5 {
        let request = Object::from((&*list, "append", (protocol,), Dict::new()));
        let request = dumps_with_protocol(&request, protocol).unwrap();
        assert_eq!(exchange(&connection, &request).0, "#RETURN");
    }
    let (_, text) = exchange(&connection, &request(Some(&list), "__str__", Tuple::new()));
    assert_eq!(text, Object::from("[2, 3, 4, 5]"));
}

#[test]
fn others_go_on_while_some_are_silent_or_gone() {
    let serving = Serving::start(|_| {});
    let Address::Unix(path) = serving.server.address() else {
        panic!("a Unix socket")
    };
    let silent: Vec<_> = (0..20)
        .map(|_| UnixStream::connect(path).unwrap())
        .collect();
    let announced = UnixStream::connect(path).unwrap();
    // A message of a length that nobody has, and one that never ends.
    (&announced).write_all(&[0xff; 12]).unwrap();
    let (connection, list) = session(&serving);
    let mut gone = UnixStream::connect(path).unwrap();
    gone.write_all(&100_u32.to_be_bytes()).unwrap();
    drop(gone);
    assert_eq!(
        exchange(&connection, &request(Some(&list), "append", (1,))).0,
        "#RETURN"
    );

    let (half, _) = session(&serving);
    let whole = request(Some(&list), "append", (2,));
    half.send_bytes(&whole[..whole.len() / 2]).unwrap();
    half.close();
    let (_, length) = exchange(&connection, &request(Some(&list), "__len__", Tuple::new()));
    assert_eq!(length, Object::from(1));

    let mut byte = [0; 1];
    announced
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut announced = announced;
    while announced.read(&mut byte).is_ok_and(|count| count > 0) {}
    drop(silent);
}

#[test]
fn a_wrong_key_is_told_so_and_no_more() {
    let serving = Serving::start(|_| {});
    let address = serving.server.address().clone();
    let wrong = client(address.clone(), Some(b"wrong")).unwrap_err();
    assert_eq!(
        format!("{wrong:?}"),
        "AuthenticationError: digest sent was rejected"
    );
    let manager = SyncManager::new()
        .with_address(address)
        .with_authkey(b"wrong");
    assert!(matches!(manager.connect(), Err(Error::Authentication(_))));
    serving.client().dict().unwrap().insert(1, 1).unwrap();
}

#[test]
fn many_clients_at_once() {
    let serving = Serving::start(|_| {});
    let manager = serving.client();
    let (counter, lock) = (
        manager.create("list", ()).unwrap(),
        manager.create("Lock", ()).unwrap(),
    );
    let barrier = manager.create("Barrier", (256,)).unwrap();
    std::thread::scope(|scope| {
        for number in 0..256 {
            let (counter, lock, barrier) = (counter.clone(), lock.clone(), barrier.clone());
            scope.spawn(move || {
                barrier.call("wait", (60,)).unwrap();
                assert!(lock.call("acquire", ()).unwrap().is_true());
                counter.call("append", (number,)).unwrap();
                lock.call("release", ()).unwrap();
            });
        }
    });
    let length = counter.call("__len__", ()).unwrap();
    assert_eq!(length, Object::from(256));
}
