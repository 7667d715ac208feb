//! M3: log lines with the name of their thread.
//!
//! Run: cargo run --release --example threading_logging

use std::thread::sleep;
use std::time::Duration;

use hilos::threading::{self, Thread};

#[path = "common/logging.rs"]
mod logging;

fn worker() {
    logging::debug!("Iniciando...");
    sleep(Duration::from_secs(2));
    logging::debug!("Finalizando...");
}

fn main() -> Result<(), threading::Error> {
    // format='[%(levelname)s] - %(threadName)-10s : %(message)s'
    logging::basic_config(|levelname, thread_name, message| {
        format!("[{levelname}] - {thread_name:<10} : {message}")
    });

    let w = Thread::new(worker).with_name("Worker");
    w.start()
}
