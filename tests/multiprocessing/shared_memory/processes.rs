//! Blocks that several processes use.

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::managers::SharedMemoryManager;
use hilos::multiprocessing::shared_memory::SharedMemory;
use hilos::multiprocessing::{Error, Process, StartMethod};

use super::{bytes, exists, text};
use crate::support::{each_start_method, run_to_end, wait_until};

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
