//! R4: a million deposits and as many withdrawals without a lock: updates get lost.
//!
//! Two threads that write a plain variable at once are a data race, after which nothing can be said
//! of the program, so safe Rust does not compile it. Here each load and each store is atomic and
//! well defined, yet another thread can come between the two, and then its update is lost: the race
//! of the text, without the data race.
//!
//! Run: cargo run --release --example threading_balance_race

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use hilos::threading::{self, Thread};

#[path = "common/logging.rs"]
mod logging;

static BALANCE: AtomicI64 = AtomicI64::new(0);

fn depositos() {
    for _ in 0..1_000_000 {
        BALANCE.store(BALANCE.load(Relaxed) + 1, Relaxed);
    }
}

fn retiros() {
    for _ in 0..1_000_000 {
        BALANCE.store(BALANCE.load(Relaxed) - 1, Relaxed); // Sección critica
    }
}

fn carrera() -> Result<i64, threading::Error> {
    let thread1 = Thread::new(depositos);
    let thread2 = Thread::new(retiros);

    thread1.start()?;
    thread2.start()?;

    thread1.join(None)?;
    thread2.join(None)?;
    Ok(BALANCE.swap(0, Relaxed))
}

fn main() -> Result<(), threading::Error> {
    // format='%(threadName)s: %(message)s'
    logging::basic_config(|_, thread_name, message| format!("{thread_name}: {message}"));

    // A million updates take a millisecond: often one thread is done before the other begins.
    let mut carreras = 1;
    let mut balance = carrera()?;
    while balance == 0 && carreras < 100 {
        carreras += 1;
        balance = carrera()?;
    }
    logging::info!("El valor final del balance es: {balance}");
    println!("Carreras: {carreras}");

    // Any value from one extreme to the other is possible, and 0 by luck.
    assert!(balance.abs() <= 1_000_000);
    Ok(())
}
