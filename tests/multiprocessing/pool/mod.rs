//! `Pool` and `ThreadPool`.

mod callbacks;
mod context;
mod faults;
mod imap;
mod jobs;
mod lifetime;
mod progress;
mod threads;

use hilos::multiprocessing::Pool;

fn square(number: i64) -> i64 {
    number * number
}

fn pool() -> Pool {
    Pool::new(4).unwrap()
}

/// A value that does not travel.
#[derive(Debug, PartialEq, serde::Deserialize)]
struct Refuses;

impl serde::Serialize for Refuses {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not this one"))
    }
}

/// A directory of one test's own.
struct Directory(std::path::PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hilos-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
