//! A manager of blocks; what becomes of them when it is killed is told in `resource_tracker`.

use std::io::ErrorKind;

use hilos::multiprocessing::managers::SharedMemoryManager;
use hilos::multiprocessing::shared_memory::{ShareableList, SharedMemory};

use crate::shared_memory::{exists, kind, text};

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_SharedMemoryManager_basics
#[test]
fn a_manager_unlinks_what_it_has_made() {
    let smm1 = SharedMemoryManager::new();
    let refused = text(smm1.shared_memory(9));
    assert_eq!(refused, "ValueError: the manager is not running");
    smm1.start().unwrap();
    assert_eq!(text(smm1.start()), "ProcessError: Already started server");
    let lol: Vec<_> = (5..10)
        .map(|i| smm1.shareable_list(0..i).unwrap())
        .collect();
    let lom: Vec<_> = (32..128)
        .step_by(16)
        .map(|j| smm1.shared_memory(j).unwrap())
        .collect();
    assert_eq!(ShareableList::open(lol[0].shm().name()).unwrap().len(), 5);
    assert_eq!(SharedMemory::open(lom[0].name()).unwrap().size(), 32);
    lom[1].unlink().unwrap();
    smm1.shutdown();
    smm1.shutdown();
    let names = lol.iter().map(|list| list.shm().name());
    for name in names.chain(lom.iter().map(SharedMemory::name)) {
        assert_eq!(kind(SharedMemory::open(name)), ErrorKind::NotFound);
    }
    lom[0].set(0, 5_u8).unwrap();
    assert_eq!(text(smm1.start()), "ProcessError: Manager has shut down");
    assert!(smm1.shared_memory(9).is_err());

    let held_name = SharedMemoryManager::new().with(|smm2| {
        let list = smm2.shareable_list("howdy".split("")).unwrap();
        smm2.shared_memory(128).unwrap();
        assert!(exists(list.shm().name()));
        list.shm().name().to_owned()
    });
    assert_eq!(
        kind(ShareableList::open(&held_name.unwrap())),
        ErrorKind::NotFound
    );
}

#[test]
fn a_manager_spares_a_name_that_others_use_again() {
    let manager = SharedMemoryManager::new();
    manager.start().unwrap();
    let block = manager.shared_memory(10).unwrap();
    block.unlink().unwrap();
    let other = SharedMemory::create_named(block.name(), 10).unwrap();
    drop(manager);
    assert!(exists(other.name()));
    other.unlink().unwrap();
}
