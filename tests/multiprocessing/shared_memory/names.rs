//! What a block may be called, and who finds it.

use std::io::ErrorKind;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::shared_memory::SharedMemory;

use super::{exists, kind, new_name, text};

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_name_with_embedded_null
#[test]
fn a_name_has_no_nul_in_it() {
    let name = new_name("hilos_null");
    let sms = SharedMemory::create_named(&name, 512).unwrap();
    let refused = SharedMemory::open(&format!("{name}\0a"));
    assert_eq!(text(refused), "ValueError: embedded null character");
    let refused = SharedMemory::create_named(&format!("{name}\0a"), 512);
    assert!(matches!(refused, Err(Error::Value(_))));
    sms.unlink().unwrap();
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_basics
#[test]
fn create_open_close_and_unlink() {
    let name = new_name("hilos_basics");
    let sms = SharedMemory::create_named(&name, 512).unwrap();
    assert_eq!((sms.name(), sms.size()), (&*name, 512));
    assert_eq!(sms.buf().unwrap().len(), 512);
    assert_eq!(sms.to_string(), format!("SharedMemory('{name}', size=512)"));
    assert_eq!(sms.buf().unwrap().to_vec(), [0; 512]);
    sms.set(0, 42_u8).unwrap();

    let also_sms = SharedMemory::open(&name).unwrap();
    assert_eq!((also_sms.get::<u8>(0).unwrap(), also_sms.size()), (42, 512));
    also_sms.close();

    let taken = SharedMemory::create_named(&name, 512);
    let expected = format!("FileExistsError: [Errno 17] File exists: '/{name}'");
    assert_eq!(text(taken), expected);
    assert_eq!(sms.get::<u8>(0).unwrap(), 42, "it was left alone");

    let missing = SharedMemory::open("hilos_not_there");
    let expected = "FileNotFoundError: [Errno 2] No such file or directory: '/hilos_not_there'";
    assert_eq!(text(missing), expected);

    sms.close();
    assert!(exists(&name), "to close is not to unlink");
    SharedMemory::open(&name).unwrap().unlink().unwrap();
    assert_eq!(kind(sms.unlink()), ErrorKind::NotFound);
    assert!(!exists(&name));
}

#[test]
fn a_name_is_found_with_and_without_slashes() {
    let name = new_name("hilos_slash");
    let sms = SharedMemory::create_named(&format!("/{name}"), 1).unwrap();
    assert_eq!(sms.name(), name);
    assert_eq!(
        SharedMemory::open(&format!("//{name}")).unwrap().name(),
        name
    );
    sms.unlink().unwrap();
    for bad in ["", "/", "a/b", "../tmp/x"] {
        assert_eq!(
            kind(SharedMemory::create_named(bad, 1)),
            ErrorKind::InvalidInput
        );
        assert_eq!(kind(SharedMemory::open(bad)), ErrorKind::InvalidInput);
    }
    assert_eq!(
        kind(SharedMemory::create_named("..", 1)),
        ErrorKind::AlreadyExists
    );
    let long = "a".repeat(256);
    assert_eq!(
        kind(SharedMemory::create_named(&long, 1)),
        ErrorKind::InvalidFilename
    );
    let longest = format!("{:_<255}", new_name("hilos_long"));
    SharedMemory::create_named(&longest, 1)
        .unwrap()
        .unlink()
        .unwrap();
    assert!(!exists(&longest));
}

// cpython: _test_multiprocessing.py::TestSharedMemoryNames::test_that_shared_memory_name_with_colons_has_no_resource_tracker_errors
#[test]
fn a_name_may_hold_anything_else() {
    for odd in ["a:b:c", "new\nline", "ñandú", "'quoted\"", " ", "-x"] {
        let name = new_name(odd);
        let sms = SharedMemory::create_named(&name, 8).unwrap();
        assert!(exists(&name));
        sms.unlink().unwrap();
        assert!(!exists(&name));
    }
}

#[test]
fn a_name_is_made_up_as_cpython_does() {
    let sms = SharedMemory::create(1).unwrap();
    let digits = sms.name().strip_prefix("psm_").unwrap();
    assert_eq!(digits.len(), 8);
    assert!(digits.chars().all(|digit| digit.is_ascii_hexdigit()));
    sms.unlink().unwrap();
}
