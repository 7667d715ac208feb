//! Blocks that are too small, too large, or not ours.

use std::io::ErrorKind;
use std::path::PathBuf;

use hilos::multiprocessing::shared_memory::SharedMemory;
use hilos::multiprocessing::{Error, Process};

use super::{exists, kind, new_name, text};
use crate::support::run_to_end;

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
