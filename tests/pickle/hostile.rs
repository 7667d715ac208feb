//! Input that is no pickle, and pickles that are made to do harm.

use std::io::Read;

use hilos::pickle::{
    Dict, Global, Instance, Object, Tuple, Unpickler, UnpicklingError, dumps, dumps_with_protocol,
    loads,
};

use crate::mutate::{Dice, mutate};
use crate::recorded::traffic;

fn load(data: &[u8]) -> Result<Object, UnpicklingError> {
    loads(data)
}

/// Whatever can be read can also be printed, compared, hashed and written.
fn use_it(object: &Object) {
    let _ = object.hash();
    assert!(*object == object.clone() || matches!(object, Object::Float(float) if float.is_nan()));
    let again = match dumps(object) {
        Ok(pickle) => load(&pickle).unwrap(),
        Err(_) => return,
    };
    let _ = *object == again;
    let _ = object.partial_cmp(&again);
    let _ = format!("{object:?}");
}

#[test]
fn mutated_messages_are_read_or_refused() {
    let traffic = traffic();
    let mut dice = Dice::new(0x9e37_79b9_7f4a_7c15);
    let mut read = 0;
    for round in 0..20_000 {
        let mut message = traffic[round % traffic.len()].clone();
        let other = &traffic[dice.roll(traffic.len())];
        mutate(&mut message, other, &mut dice);
        if let Ok(object) = load(&message) {
            read += 1;
            use_it(&object);
        }
    }
    assert!((1_000..19_000).contains(&read), "{read} were read");
}

#[test]
fn every_beginning_of_a_message_is_an_error() {
    for message in traffic().iter().step_by(7) {
        for length in 0..message.len() {
            let error = load(&message[..length]).unwrap_err();
            assert!(length > 0 || error.is_eof());
            let from_reader = Unpickler::new(&message[..length]).load();
            assert!(from_reader.is_err());
        }
    }
}

#[test]
fn announced_lengths_cost_nothing() {
    let bombs: [&[u8]; 9] = [
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x80\x04\x8d\x00\x00\x00\x00\x00\x01\x00\x00abc",
        b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00abc",
        b"\x80\x04X\xff\xff\xff\xffabc",
        b"\x80\x04B\xff\xff\xff\xffabc",
        b"\x80\x02\x8b\xff\xff\xff\x7fabc",
        b"\x80\x02\x8b\xff\xff\xff\xffabc",
        b"T\xff\xff\xff\xffabc",
    ];
    for bomb in bombs {
        assert!(load(bomb).is_err());
        assert!(Unpickler::new(bomb.chain(std::io::empty())).load().is_err());
    }
}

#[test]
fn memo_numbers_cost_nothing() {
    let far = load(b"]r\xff\xff\xff\xff(K\x01K\x02ej\xff\xff\xff\xff\x86.").unwrap();
    assert_eq!(far.to_string(), "([1, 2], [1, 2])");
    assert!(load(b"Np99999999999999\n0g99999999999999\n.").is_ok());
    let error = load(b"j\xff\xff\xff\x7f.").unwrap_err();
    assert_eq!(
        error.to_string(),
        "Memo value not found at index 2147483647"
    );
}

#[test]
fn long_decimal_numbers_are_refused() {
    let digits = "9".repeat(1_000_000);
    assert!(load(format!("L{digits}L\n.").as_bytes()).is_err());
    let mut bytes = b"\x8b\x40\x42\x0f\x00".to_vec();
    bytes.extend(std::iter::repeat_n(0x7f, 1_000_000));
    bytes.push(b'.');
    assert!(load(&bytes).unwrap().to_string().starts_with("0x7f7f"));
}

const DEPTH: usize = 20_000;

/// Pickles nested that deep in ever the same way.
fn nested() -> Vec<Vec<u8>> {
    let around = |before: &[u8], core: &[u8], after: &[u8]| {
        [
            b"\x80\x04",
            &*before.repeat(DEPTH),
            core,
            &*after.repeat(DEPTH),
            b".",
        ]
        .concat()
    };
    vec![
        around(b"]", b"N", b"a"),
        around(b"", b")", b"\x85"),
        around(b"}N", b"N", b"s"),
        around(b"(", b"K\x01", b"\x91"),
        around(b"(", b"K\x01", b"t"),
        around(b"cm\nf\n", b")", b"\x85R"),
        around(b"cm\nf\n)R", b"N", b"b"),
        around(b"cm\nf\n)R", b"N", b"a"),
        around(b"cm\nf\n)R", b"N", b"\x85cm\nf\n)Rs"),
        around(b"]}(N", b"N", b"ua"),
    ]
}

#[test]
fn no_nesting_is_too_deep() {
    for pickle in nested() {
        let object = load(&pickle).unwrap_or_else(|error| panic!("{error:?}: {:?}", &pickle[..9]));
        let twin = load(&pickle).unwrap();
        assert!(object == twin);
        let _ = object.partial_cmp(&twin);
        let _ = object.hash();
        assert!(!format!("{object:?}").is_empty());
        let again = dumps_with_protocol(&object, 4).unwrap();
        assert!(load(&again).unwrap() == object);
        dumps_with_protocol(&object, 2).unwrap();
    }
}

#[test]
fn deep_lists_are_compared_in_one_walk() {
    let deep = |core: &[u8]| {
        let pickle = [&b"]".repeat(DEPTH), core, &b"a".repeat(DEPTH), b"."].concat();
        load(&pickle).unwrap()
    };
    let (one, two) = (deep(b"I1\n"), deep(b"I2\n"));
    assert!(one < two);
    assert!(two > one);
    let error = one.less_than(&deep(b"N")).unwrap_err();
    let message = "'<' not supported between instances of 'int' and 'NoneType'";
    assert_eq!(error.to_string(), message);
}

#[test]
fn sharing_that_doubles_at_each_level_is_no_more_work() {
    // Tuples whose content would be 2 to the 100th items.
    for core in [&b"]"[..], b")\x85"] {
        let mut pickle = [b"\x80\x04", core].concat();
        for _ in 0..100 {
            pickle.extend(b"2\x86");
        }
        pickle.push(b'.');
        let (object, twin) = (load(&pickle).unwrap(), load(&pickle).unwrap());
        assert!(object == twin);
        let _ = object.hash();
        dumps(&object).unwrap();
    }
}

#[test]
fn a_dict_as_part_of_its_own_keys_does_not_lock_up() {
    // d = {f(d): 1, f(d): 2}: with a dict in the arguments, a key is equal to itself alone.
    let pickle = b"\x80\x04}\x94(cm\nf\nh\x00\x85RK\x01cm\nf\nh\x00\x85RK\x02u.";
    let object = load(pickle).unwrap();
    let Object::Dict(dict) = &object else {
        panic!()
    };
    assert_eq!(dict.len(), 2);
    dict.clear();
    // The same with the state instead of the arguments.
    let pickle = b"\x80\x04}\x94(cm\nf\n)Rh\x00bK\x01cm\nf\n)Rh\x00bK\x02u.";
    let Object::Dict(dict) = load(pickle).unwrap() else {
        panic!()
    };
    assert!(!dict.is_empty());
    // The first key's state was empty when it came in, and is this dict.
    let like_the_first = Instance::reduce(Global::new("m", "f"), Tuple::new());
    let like_the_first = like_the_first.with_state(Dict::new());
    assert_eq!(dict.get(like_the_first).unwrap(), None);
    dict.clear();
}

#[test]
fn a_call_inside_its_own_arguments_is_written() {
    let pickle = b"\x80\x04cm\nf\n]\x94\x85R\x94h\x00h\x01a0h\x01.";
    let object = load(pickle).unwrap();
    let again = dumps(&object).unwrap();
    load(&again).unwrap();
}

#[test]
fn errors_say_what_python_says() {
    let cases: [(&[u8], &str); 18] = [
        (b"", "EOFError: Ran out of input"),
        (b"I010\n.", "ValueError: could not convert string to int"),
        (b"]", "EOFError: Ran out of input"),
        (b"\x80", "UnpicklingError: pickle data was truncated"),
        (b".", "UnpicklingError: unpickling stack underflow"),
        (b"(.", "UnpicklingError: unexpected MARK found"),
        (b"t.", "UnpicklingError: could not find MARK"),
        (b"\x80\x63.", "ValueError: unsupported pickle protocol: 99"),
        (b"z.", "UnpicklingError: invalid load key, 'z'."),
        (b"\xff.", "UnpicklingError: invalid load key, '\\xff'."),
        (
            b"h\x05.",
            "UnpicklingError: Memo value not found at index 5",
        ),
        (b"}]Ns.", "TypeError: unhashable type: 'list'"),
        (b"\x8f(]\x90.", "TypeError: unhashable type: 'list'"),
        (b"(]\x91.", "TypeError: unhashable type: 'list'"),
        (
            b"}(Nu.",
            "UnpicklingError: odd number of items for SETITEMS",
        ),
        (b"K\x01)R.", "TypeError: 'int' object is not callable"),
        (b"(No.", "TypeError: 'NoneType' object is not callable"),
        (
            b"Pid\n.",
            "UnpicklingError: A load persistent id instruction was encountered, but no persistent_load function was specified.",
        ),
    ];
    for (pickle, message) in cases {
        assert_eq!(format!("{:?}", load(pickle).unwrap_err()), message);
    }
}

#[test]
fn keys_that_are_hard_to_tell_apart_are_no_more_work() {
    // {f([0]): None, f([1]): None, …}: what is unhashable inside does not count for the hash.
    let mut pickle = b"\x80\x04}(".to_vec();
    for number in 0..30_000i32 {
        pickle.extend(b"cm\nf\n]J");
        pickle.extend(number.to_le_bytes());
        pickle.extend(b"a\x85RN");
    }
    pickle.extend(b"u.");
    let Object::Dict(dict) = load(&pickle).unwrap() else {
        panic!()
    };
    assert_eq!(dict.len(), 30_000);
}
