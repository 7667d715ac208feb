//! Picklers and unpicklers of several objects, and their errors.

use std::io::{self, BufReader, Read, Write};

use hilos::pickle::{
    Encoding, HIGHEST_PROTOCOL, List, Object, Pickler, Unpickler, dump, dumps_with_protocol, load,
};

#[test]
fn an_object_that_was_written_before_is_the_same_when_read() {
    for protocol in 2..=HIGHEST_PROTOCOL {
        let list = Object::from(List::from_iter([Object::from("shared")]));
        let mut pickler = Pickler::new(Vec::new()).with_protocol(protocol);
        pickler.dump(&list).unwrap();
        pickler.dump(&(&list, 1)).unwrap();
        pickler.clear_memo();
        pickler.dump(&list).unwrap();
        let bytes = pickler.into_inner();
        let mut unpickler = Unpickler::new(&*bytes);
        let first = unpickler.load().unwrap();
        let Object::Tuple(pair) = unpickler.load().unwrap() else {
            panic!()
        };
        let third = unpickler.load().unwrap();
        assert!(first.is(&pair[0]));
        assert!(!first.is(&third));
        assert_eq!(first, third);
        assert!(unpickler.load().unwrap_err().is_eof());
    }
}

/// A reader that gives a byte at a time.
struct Slow<R>(R);

impl<R: Read> Read for Slow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn nothing_after_the_pickle_is_read() {
    let mut file = Vec::new();
    dump(&vec!["first", "second"], &mut file).unwrap();
    file.write_all(b"the rest").unwrap();
    let mut reader = BufReader::new(Slow(&*file));
    let words: Vec<String> = load(&mut reader).unwrap();
    assert_eq!(words, ["first", "second"]);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "the rest");
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("broken"))
    }
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("broken"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn errors_of_files_are_passed_on() {
    let error = Unpickler::new(BufReader::new(Broken)).load().unwrap_err();
    assert_eq!(error.io_error().unwrap().to_string(), "broken");
    assert_eq!(format!("{error:?}"), "OSError: broken");
    let error = dump(&1, Broken).unwrap_err();
    assert_eq!(error.io_error().unwrap().to_string(), "broken");
}

#[test]
fn protocols_are_checked() {
    let error = dumps_with_protocol(&1, 6).unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "ValueError: pickle protocol must be <= 5"
    );
    assert!(dumps_with_protocol(&1, 1).is_err());
    let name = hilos::pickle::Global::new("módulo", "f");
    let error = dumps_with_protocol(&Object::from(name.clone()), 2).unwrap_err();
    let message = "can't pickle global identifier 'módulo' using pickle protocol 2";
    assert_eq!(error.to_string(), message);
    assert!(dumps_with_protocol(&Object::from(name), 3).is_ok());
}

#[test]
fn strings_of_python_2_have_an_encoding() {
    let pickle = b"S'caf\\xe9'\n.";
    let read = |encoding| {
        Unpickler::new(pickle.as_slice())
            .with_encoding(encoding)
            .load()
    };
    assert!(read(Encoding::Ascii).is_err());
    assert!(read(Encoding::Utf8).is_err());
    assert_eq!(read(Encoding::Latin1).unwrap().to_string(), "café");
    assert_eq!(read(Encoding::Bytes).unwrap().to_string(), r"b'caf\xe9'");
}
