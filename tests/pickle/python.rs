//! What CPython pickles is read, printed and written alike, and the other way round.

use std::sync::OnceLock;

use hilos::pickle::{Object, dumps_with_protocol, loads};

use crate::oracle::{hex, python, unhex};

struct Case {
    plain: bool,
    protocol: u8,
    pickle: Vec<u8>,
    /// What Python's `repr` gives, for plain values.
    repr: Vec<u8>,
}

fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(read_cases)
}

fn read_cases() -> Vec<Case> {
    let case = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        Case {
            plain: fields[0] == "plain",
            protocol: fields[1].parse().unwrap(),
            pickle: unhex(fields[2]),
            repr: unhex(fields[3]),
        }
    };
    python("values", "")
        .unwrap_or_default()
        .lines()
        .map(case)
        .collect()
}

fn shown(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    text.chars().take(2000).collect()
}

#[test]
fn values_are_read_and_printed_as_python_prints_them() {
    for case in cases() {
        let object: Object = loads(&case.pickle).unwrap_or_else(|error| {
            panic!(
                "protocol {} {}: {error:?}",
                case.protocol,
                shown(&case.pickle)
            )
        });
        if case.plain {
            let printed = format!("{object:?}");
            assert_eq!(
                shown(printed.as_bytes()),
                shown(&case.repr),
                "protocol {}",
                case.protocol
            );
            assert!(printed.as_bytes() == case.repr);
        }
    }
}

#[test]
fn values_are_written_as_python_writes_them() {
    for case in cases().iter().filter(|case| case.protocol >= 2) {
        let object: Object = loads(&case.pickle).unwrap();
        let again = dumps_with_protocol(&object, case.protocol).unwrap();
        assert_eq!(
            shown(&again),
            shown(&case.pickle),
            "protocol {}",
            case.protocol
        );
        assert!(again == case.pickle);
    }
}

#[test]
fn python_reads_what_is_written_in_another_protocol() {
    let mut input = String::new();
    for case in cases().iter().filter(|case| case.plain) {
        let object: Object = loads(&case.pickle).unwrap();
        let again = dumps_with_protocol(&object, 2 + (case.protocol + 1) % 4).unwrap();
        input += &format!("{}\t{}\n", hex(&again), hex(&case.repr));
    }
    assert_eq!(python("check", &input).unwrap_or_default(), "");
}
