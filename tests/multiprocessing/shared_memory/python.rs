//! Blocks that CPython uses too.

use std::io::ErrorKind;

use hilos::multiprocessing::shared_memory::SharedMemory;

use super::{bytes, exists, kind, new_name};
use crate::python;

#[test]
fn cpython_opens_what_hilos_has_created() {
    let sms = SharedMemory::create(100).unwrap();
    sms.write(0, b"from Rust").unwrap();
    let script = "if 1:
        import sys
        from multiprocessing import shared_memory, resource_tracker
        shm = shared_memory.SharedMemory(sys.argv[1])
        resource_tracker.unregister(shm._name, 'shared_memory')
        print(shm.name, shm.size, bytes(shm.buf[:9]), shm)
        shm.buf[90:100] = b'0123456789'
        shm.close()
    ";
    if let Some((output, errors)) = python::run(script, &[sms.name()]) {
        let name = sms.name();
        assert_eq!(output, format!("{name} 100 b'from Rust' {sms}\n"));
        assert_eq!(errors, "");
        let mut end = [0; 10];
        sms.read(90, &mut end).unwrap();
        assert_eq!(&end, b"0123456789");
        assert!(exists(name));
    }
    sms.unlink().unwrap();
}

#[test]
fn hilos_opens_what_cpython_has_created() {
    let name = new_name("hilos_from_python");
    let script = "if 1:
        import sys
        from multiprocessing.shared_memory import SharedMemory
        one, two = SharedMemory(create=True, size=5000), SharedMemory(sys.argv[1], True, 3)
        one.buf[4990:] = bytes(range(10))
        two.buf[:] = b'abc'
        print('says', one.name, flush=True)
        input()
        print('says', bytes(two.buf), flush=True)
        one.unlink(); two.unlink()
        print('says unlinked', flush=True)
        input()
    ";
    let Some(mut python) = python::start(script, &[&name]) else {
        return;
    };
    let one = SharedMemory::open(&python.line()).unwrap();
    let two = SharedMemory::open(&name).unwrap();
    assert_eq!((one.size(), two.size()), (5000, 3));
    assert_eq!(
        one.get::<[u8; 10]>(4990).unwrap(),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    );
    two.write(1, b"XY").unwrap();
    assert_eq!(
        kind(SharedMemory::create_named(&name, 3)),
        ErrorKind::AlreadyExists
    );
    python.go_on();
    assert_eq!(python.line(), "b'aXY'");
    assert_eq!(python.line(), "unlinked");
    assert_eq!(kind(SharedMemory::open(&name)), ErrorKind::NotFound);
    assert_eq!(&bytes::<3>(&two), b"aXY", "it lives on where it is open");
    let (_, errors) = python.finish();
    assert!(!errors.contains("resource_tracker"), "{errors}");
}

/// Has a Python process open and close a block, and says what it wrote as errors.
fn opened_by_python(sms: &SharedMemory, track: &str) -> Option<String> {
    let script = format!(
        "if 1:
        import sys
        from multiprocessing.shared_memory import SharedMemory
        mem = SharedMemory(create=False, name=sys.argv[1], track={track})
        mem.close()
    "
    );
    let supported = "import sys; print(sys.version_info >= (3, 13))";
    let (supported, _) = python::run(supported, &[])?;
    if supported.trim() != "True" {
        println!("SKIPPED: this Python has no track=");
        return None;
    }
    python::run(&script, &[sms.name()]).map(|(_, errors)| errors)
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_untracking
#[test]
fn a_python_that_does_not_track_leaves_it() {
    let sms = SharedMemory::create(10).unwrap();
    if let Some(errors) = opened_by_python(&sms, "False") {
        assert!(!errors.contains("resource_tracker"), "{errors}");
        SharedMemory::open(sms.name()).unwrap().close();
    }
    sms.unlink().unwrap();
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_tracking
#[test]
fn a_python_that_tracks_unlinks_it() {
    let sms = SharedMemory::create(10).unwrap();
    match opened_by_python(&sms, "True") {
        Some(errors) => {
            let expected = "resource_tracker: There appear to be 1 leaked shared_memory objects to \
                            clean up at shutdown";
            assert!(errors.contains(expected), "{errors}");
            assert_eq!(kind(sms.unlink()), ErrorKind::NotFound);
        }
        None => sms.unlink().unwrap(),
    }
}
