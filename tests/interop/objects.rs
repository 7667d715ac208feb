//! Values that `Connection.send` of CPython's sends, and that its `recv` gets, by `send_object` and
//! `recv_object`.

use std::collections::BTreeMap;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::{Connection, Listener};
use hilos::pickle::Object;
use serde::{Deserialize, Serialize};

use crate::program::Program;
use crate::python;
use crate::support::LONG;

/// Sends each value back with its `repr`; `end` has it send what is no such value.
const ECHO: &str = r"
import ast, fractions, sys
from multiprocessing.connection import Client
with Client(ast.literal_eval(sys.argv[1]), authkey=b'k') as connection:
    while (value := connection.recv()) != 'end':
        connection.send((value, repr(value)))
    connection.send_bytes(b'no pickle')
    connection.send(fractions.Fraction(1, 3))
    connection.send('x' * 3000000)
    print('says', 'bye', connection.recv(), flush=True)
";

fn with_each(check: impl Fn(&Connection, &mut Program)) {
    for python in python::oldest_and_newest() {
        let listener = Listener::new(None).unwrap().with_authkey(b"k");
        let address = listener.address().to_string();
        let mut caller = python::start_with(&python, ECHO, &[&address]);
        check(&listener.accept_timeout(LONG).unwrap(), &mut caller);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    name: String,
    sizes: Vec<u32>,
    limit: Option<f64>,
}

/// Sends a value there and back; what Python has called it.
fn echo<T>(connection: &Connection, value: &T) -> String
where
    T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    connection.send_object(value).unwrap();
    let (back, repr): (T, String) = connection.recv_object_timeout(LONG).unwrap();
    assert_eq!(back, *value);
    repr
}

#[test]
fn python_sends_and_receives() {
    with_each(|connection, caller| {
        assert_eq!(echo(connection, &Object::None), "None");
        assert_eq!(echo(connection, &Object::from((1, "ñ"))), "(1, 'ñ')");
        assert_eq!(echo(connection, &vec![1, -2]), "[1, -2]");
        assert_eq!(echo(connection, &(true, 2.5)), "(True, 2.5)");
        assert_eq!(
            echo(connection, &BTreeMap::from([("a".to_owned(), 1)])),
            "{'a': 1}"
        );
        let job = Job {
            name: "spam".into(),
            sizes: vec![1, 2],
            limit: None,
        };
        let repr = "{'name': 'spam', 'sizes': [1, 2], 'limit': None}";
        assert_eq!(echo(connection, &job), repr);

        connection.send_object("end").unwrap();
        for _ in 0..2 {
            // Neither a pickle nor a number, and what follows is still read.
            let error = connection.recv_object::<i64>().unwrap_err();
            assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
        }
        let late = connection.recv_object_timeout::<String, _>(LONG).unwrap();
        assert_eq!(late.len(), 3_000_000);
        let late = connection
            .recv_object_timeout::<Object, _>(0.0)
            .unwrap_err();
        assert!(matches!(late, Error::Timeout), "{late:?}");
        connection.send_object(&("and", "end")).unwrap();
        assert_eq!(caller.line(), "bye ('and', 'end')");
        let end = connection.recv_object::<Object>().unwrap_err();
        assert!(matches!(end, Error::Eof), "{end:?}");
    });
}
