//! Blocks of shared memory, and what becomes of them.

mod contents;
mod limits;
mod names;
mod processes;
mod python;

use std::io::ErrorKind;
use std::path::PathBuf;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::shared_memory::SharedMemory;

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
