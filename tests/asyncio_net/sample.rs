//! A file to be sent.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// As much as CPython's tests send: more than the system takes at once.
pub(crate) const LENGTH: usize = 64 * 17 * 1024 + 1;

/// A file that is removed when it is dropped.
pub(crate) struct Sample {
    pub(crate) file: File,
    path: PathBuf,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self::of(&data())
    }

    pub(crate) fn of(data: &[u8]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hilos-sendfile-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        File::create(&path).unwrap().write_all(data).unwrap();
        let file = File::open(&path).unwrap();
        Self { file, path }
    }

    pub(crate) fn tell(&self) -> u64 {
        (&self.file).stream_position().unwrap()
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// No two pieces of it are alike.
pub(crate) fn data() -> Vec<u8> {
    (0..LENGTH).map(|at| (at % 251) as u8).collect()
}
