//! Blocks of shared memory, and what becomes of them.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Barrier;

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::managers::SharedMemoryManager;
use hilos::multiprocessing::shared_memory::SharedMemory;
use hilos::multiprocessing::{Error, Process, StartMethod};

use crate::python;
use crate::support::{each_start_method, run_to_end, wait_until};

/// A name that no other test and no other run of this one uses.
fn new_name(prefix: &str) -> String {
    format!("{prefix}{}", std::process::id())
}

pub(crate) fn exists(name: &str) -> bool {
    PathBuf::from("/dev/shm").join(name).exists()
}

pub(crate) fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    match result {
        Err(Error::Os(error)) => error.kind(),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("no error"),
    }
}

pub(crate) fn text<T>(result: Result<T, Error>) -> String {
    format!("{:?}", result.err().expect("an error"))
}

fn bytes<const N: usize>(shm: &SharedMemory) -> [u8; N] {
    let mut bytes = [0; N];
    shm.read(0, &mut bytes).unwrap();
    bytes
}

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

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_invalid_shared_memory_creation
#[test]
fn a_block_has_a_size() {
    let expected = "ValueError: 'size' must be a positive number different from zero";
    assert_eq!(text(SharedMemory::create(0)), expected);
    assert_eq!(text(SharedMemory::create_named("hilos_empty", 0)), expected);
    assert!(!exists("hilos_empty"));
}

#[test]
fn an_empty_file_is_no_block() {
    let name = new_name("hilos_empty_file");
    std::fs::write(PathBuf::from("/dev/shm").join(&name), "").unwrap();
    let refused = SharedMemory::open(&name);
    std::fs::remove_file(PathBuf::from("/dev/shm").join(&name)).unwrap();
    assert_eq!(text(refused), "ValueError: cannot mmap an empty file");
}

#[test]
fn a_block_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let sms = SharedMemory::create(1).unwrap();
    let path = PathBuf::from("/dev/shm").join(sms.name());
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    sms.unlink().unwrap();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn more_memory_than_there_is_is_an_error() {
    for size in [1 << 50, usize::MAX] {
        let refused = kind(SharedMemory::create(size));
        let expected = [ErrorKind::StorageFull, ErrorKind::FileTooLarge];
        assert!(expected.contains(&refused), "{refused}");
    }
    let name = new_name("hilos_huge");
    assert!(SharedMemory::create_named(&name, 1 << 50).is_err());
    assert!(!exists(&name));
}

#[test]
fn a_limit_of_file_sizes_is_an_error() {
    fn test() {
        use nix::sys::resource::{Resource, setrlimit};
        setrlimit(Resource::RLIMIT_FSIZE, 4096, 4096).unwrap();
        assert_eq!(kind(SharedMemory::create(4097)), ErrorKind::FileTooLarge);
        SharedMemory::create(4096).unwrap().unlink().unwrap();
    }
    assert_eq!(run_to_end(&Process::new(test, ())), Some(0));
}

/// Gives this process a `/dev/shm` of its own, with 64 KiB; `false` if it has no right to.
fn with_small_directory() -> bool {
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| mount(None::<&str>, "/", None::<&str>, private, None::<&str>))
        .and_then(|()| {
            let options = Some("size=64k");
            mount(
                Some("tmpfs"),
                "/dev/shm",
                Some("tmpfs"),
                MsFlags::empty(),
                options,
            )
        })
        .is_ok()
}

#[test]
fn a_full_directory_is_an_error() {
    fn test() {
        if !with_small_directory() {
            println!("SKIPPED: no right to mount");
            return;
        }
        let half = SharedMemory::create(40_000).unwrap();
        assert_eq!(kind(SharedMemory::create(40_000)), ErrorKind::StorageFull);
        half.write(0, &[1; 40_000]).unwrap();
        let left = std::fs::read_dir("/dev/shm").unwrap().count();
        assert_eq!(left, 1, "what did not fit has left nothing");
        half.unlink().unwrap();
        half.close();
        let next = SharedMemory::create(40_000).unwrap();
        next.write(0, &[1; 40_000]).unwrap();
        next.unlink().unwrap();
    }
    assert_eq!(run_to_end(&Process::new(test, ())), Some(0));
}

#[test]
fn no_descriptors_left_is_an_error() {
    fn test() {
        use nix::sys::resource::{Resource, setrlimit};
        setrlimit(Resource::RLIMIT_NOFILE, 16, 16).unwrap();
        let open = |_| std::fs::File::open("/dev/null").ok();
        let files: Vec<_> = (0..).map_while(open).collect();
        assert!(matches!(SharedMemory::create(8), Err(Error::Os(_))));
        drop(files);
        SharedMemory::create(8).unwrap().unlink().unwrap();
    }
    assert_eq!(run_to_end(&Process::new(test, ())), Some(0));
}

#[test]
fn what_is_closed_is_not_read() {
    let sms = SharedMemory::create(16).unwrap();
    let (clone, buf) = (sms.clone(), sms.buf().unwrap());
    sms.set(8, 7_u64).unwrap();
    sms.close();
    sms.close();
    let closed = "ValueError: the shared memory is closed";
    assert_eq!(text(clone.get::<u64>(8)), closed);
    assert_eq!(text(sms.write(0, b"x")), closed);
    assert_eq!(text(sms.buf()), closed);
    assert_eq!((sms.size(), clone.name()), (16, sms.name()));
    sms.unlink().unwrap();
    assert_eq!(
        buf.get::<u64>(8).unwrap(),
        7,
        "the buffer is a use of its own"
    );
}

#[test]
fn nothing_is_read_or_written_beyond_the_end() {
    let sms = SharedMemory::create(13).unwrap();
    sms.write(0, b"thirteen byte").unwrap();
    sms.write(13, b"").unwrap();
    for (offset, count) in [(13, 1), (0, 14), (12, 2), (usize::MAX, 1), (usize::MAX, 0)] {
        let mut into = vec![7; count];
        assert!(matches!(sms.read(offset, &mut into), Err(Error::Index)));
        assert!(into.iter().all(|byte| *byte == 7), "nothing is copied");
        assert!(matches!(sms.write(offset, &into), Err(Error::Index)));
    }
    assert!(matches!(sms.get::<u64>(6), Err(Error::Index)));
    assert!(matches!(sms.set(6, 1_u64), Err(Error::Index)));
    assert_eq!(&bytes::<13>(&sms), b"thirteen byte");
    sms.unlink().unwrap();
}

#[test]
fn bytes_are_copied_from_and_to_everywhere() {
    let sms = SharedMemory::create(29).unwrap();
    let mut expected = [0_u8; 29];
    for start in 0..29 {
        for end in start..=29 {
            let part: Vec<u8> = (start..end).map(|at| (at * 7 + end) as u8).collect();
            sms.write(start, &part).unwrap();
            expected[start..end].copy_from_slice(&part);
            assert_eq!(bytes::<29>(&sms), expected);
            let mut read = vec![0; end - start];
            sms.read(start, &mut read).unwrap();
            assert_eq!(read, part);
        }
    }
    sms.set(3, -2.5_f64).unwrap();
    assert_eq!(sms.get::<f64>(3).unwrap(), -2.5);
    assert_eq!(&bytes::<11>(&sms)[3..], (-2.5_f64).to_ne_bytes());
    sms.set(1, [1_u16, 2, 3]).unwrap();
    assert_eq!(sms.get::<[u16; 3]>(1).unwrap(), [1, 2, 3]);
    sms.unlink().unwrap();
}

#[test]
fn writers_of_neighbouring_bytes_do_not_disturb_each_other() {
    let sms = SharedMemory::create(8).unwrap();
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for place in [0_usize, 2, 4, 6] {
            let (name, barrier) = (sms.name(), &barrier);
            scope.spawn(move || {
                let mine = SharedMemory::open(name).unwrap();
                barrier.wait();
                for value in 1..=20_000_u16 {
                    mine.set(place, value).unwrap();
                    assert_eq!(mine.get::<u16>(place).unwrap(), value);
                }
            });
        }
    });
    assert_eq!(sms.get::<[u16; 4]>(0).unwrap(), [20_000; 4]);
    sms.unlink().unwrap();
}

#[test]
fn an_aligned_value_is_never_torn() {
    let sms = SharedMemory::create(24).unwrap();
    let (done, buf) = (
        std::sync::atomic::AtomicBool::new(false),
        sms.buf().unwrap(),
    );
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..50_000 {
                buf.set(8, if round % 2 == 0 { u64::MAX } else { 0 })
                    .unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let seen: u64 = buf.get(8).unwrap();
            assert!(seen == 0 || seen == u64::MAX, "{seen:x}");
        }
    });
    sms.unlink().unwrap();
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_pickle_unpickle
#[test]
fn a_handle_travels_by_its_name() {
    let (one, other) = pipe(true).unwrap();
    let sms = SharedMemory::create(512).unwrap();
    sms.write(0, b"pickle").unwrap();
    one.send(&sms).unwrap();
    let sms2: SharedMemory = other.recv().unwrap();
    assert_eq!((sms2.name(), sms2.size()), (sms.name(), 512));
    assert_eq!(&bytes::<6>(&sms2), b"pickle");
    sms.write(0, b"newval").unwrap();
    assert_eq!(&bytes::<6>(&sms2), b"newval");
    sms2.write(0, b"oldval").unwrap();
    assert_eq!(&bytes::<6>(&sms), b"oldval");
    sms.unlink().unwrap();
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_pickle_unpickle_dead_object
#[test]
fn a_handle_of_an_unlinked_block_does_not_arrive() {
    let (one, other) = pipe(true).unwrap();
    let sms = SharedMemory::create(512).unwrap();
    one.send(&sms).unwrap();
    sms.close();
    sms.unlink().unwrap();
    let refused = text(other.recv::<SharedMemory>());
    assert!(refused.contains("SharedMemory"), "{refused}");
}

fn open_and_write(name: String, data: Vec<u8>) -> Result<(), Error> {
    let sms = SharedMemory::open(&name)?;
    sms.write(0, &data)?;
    sms.close();
    Ok(())
}

fn write(sms: SharedMemory, data: Vec<u8>) -> Result<(), Error> {
    sms.write(0, &data)?;
    sms.close();
    Ok(())
}

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_across_processes
    fn other_processes_see_the_same_bytes(method: StartMethod) {
        let sms = SharedMemory::create(512).unwrap();
        let name = sms.name().to_owned();
        let by_name = Process::new(open_and_write, (name.clone(), b"howdy".to_vec()));
        assert_eq!(run_to_end(&by_name.with_daemon(true).with_start_method(method)), Some(0));
        assert_eq!(&bytes::<5>(&sms), b"howdy");
        let by_handle = Process::new(write, (sms.clone(), b"HELLO".to_vec()));
        assert_eq!(run_to_end(&by_handle.with_daemon(true).with_start_method(method)), Some(0));
        assert_eq!(&bytes::<5>(&sms), b"HELLO");
        assert!(exists(&name), "the end of a process that used it changes nothing");
        sms.unlink().unwrap();
    }

    fn a_child_may_unlink(method: StartMethod) {
        fn unlink(sms: SharedMemory) -> Result<(), Error> {
            sms.unlink()
        }
        let sms = SharedMemory::create(8).unwrap();
        let child = Process::new(unlink, (sms.clone(),)).with_start_method(method);
        assert_eq!(run_to_end(&child), Some(0));
        assert!(!exists(sms.name()));
        sms.set(0, 5_u64).unwrap();
        assert_eq!(sms.get::<u64>(0).unwrap(), 5);
    }

    fn a_block_outlives_the_process_that_created_it(method: StartMethod) {
        fn create(to: Connection) -> Result<(), Error> {
            let sms = SharedMemory::create(8)?;
            sms.set(0, 77_u64)?;
            to.send(sms.name())?;
            Ok(())
        }
        let (ours, theirs) = pipe(true).unwrap();
        let child = Process::new(create, (theirs,)).with_start_method(method);
        assert_eq!(run_to_end(&child), Some(0));
        let sms = SharedMemory::open(&ours.recv::<String>().unwrap()).unwrap();
        assert_eq!(sms.get::<u64>(0).unwrap(), 77);
        sms.unlink().unwrap();
    }

    fn what_a_killed_process_used_is_removed(method: StartMethod) {
        fn create(to: Connection) -> Result<(), Error> {
            let used = SharedMemory::create(8)?;
            let shared = SharedMemory::create(8)?;
            let closed = SharedMemory::create(8)?;
            closed.close();
            to.send(&[used.name(), shared.name(), closed.name()][..])?;
            to.recv()
        }
        // This process knows the tracker already, which a copy of it must not confuse with itself.
        let own = SharedMemory::create(8).unwrap();
        let (ours, theirs) = pipe(true).unwrap();
        let child = Process::new(create, (theirs,)).with_start_method(method);
        child.start().unwrap();
        let names: Vec<String> = ours.recv().unwrap();
        let shared = SharedMemory::open(&names[1]).unwrap();
        child.kill().unwrap();
        child.join(crate::support::LONG).unwrap();
        wait_until("the block to go", || !exists(&names[0]));
        assert!(exists(&names[1]), "this process uses it");
        assert!(exists(&names[2]), "it was left for others");
        own.unlink().unwrap();
        shared.unlink().unwrap();
        SharedMemory::open(&names[2]).unwrap().unlink().unwrap();
    }
}

#[test]
fn a_forked_child_unlinks_nothing_of_its_parents() {
    fn test() {
        let sms = SharedMemory::create(8).unwrap();
        let manager: &SharedMemoryManager = Box::leak(Box::default());
        manager.start().unwrap();
        let managed = manager.shared_memory(8).unwrap();
        let names = [sms.name().to_owned(), managed.name().to_owned()];
        let (copy, also_managed) = (sms.clone(), managed.clone());
        // In the child the handles, the manager and the process itself end.
        let child = Process::forked(move || {
            copy.set(0, 5_u64).unwrap();
            drop((copy, also_managed));
            manager.shutdown();
        });
        assert_eq!(run_to_end(&child), Some(0));
        assert_eq!(sms.get::<u64>(0).unwrap(), 5);
        assert!(names.iter().all(|name| exists(name)));
        sms.unlink().unwrap();
        managed.unlink().unwrap();
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn forks_while_another_thread_makes_blocks() {
    fn test() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    SharedMemory::create(8).unwrap().unlink().unwrap();
                }
            });
            for _ in 0..20 {
                let child =
                    Process::forked(|| SharedMemory::create(8).and_then(|sms| sms.unlink()));
                assert_eq!(run_to_end(&child), Some(0));
            }
            done.store(true, Ordering::Relaxed);
        });
    }
    assert_eq!(run_to_end(&Process::new(test, ())), Some(0));
}

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
