//! R5: the same deposits and withdrawals under a lock: the balance is 0, always.
//!
//! First as the text has it, with a lock beside the data. The data is atomic, because Rust does not
//! know that the lock guards it; the lock is what makes a load and a store one step. Then with the
//! data inside the lock, where the compiler does know.
//!
//! Run: cargo run --release --example threading_balance_lock

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use hilos::threading::{self, Lock, Mutex, RuntimeError, Thread};

#[path = "common/logging.rs"]
mod logging;

static BALANCE: AtomicI64 = AtomicI64::new(0);

static LOCK: Lock = Lock::new();

fn depositos() -> Result<(), RuntimeError> {
    for _ in 0..1_000_000 {
        LOCK.acquire();
        BALANCE.store(BALANCE.load(Relaxed) + 1, Relaxed);
        LOCK.release()?;
    }
    Ok(())
}

fn retiros() {
    for _ in 0..1_000_000 {
        let _held = LOCK.lock(); // with lock:
        BALANCE.store(BALANCE.load(Relaxed) - 1, Relaxed); // Sección critica
    }
}

static BALANCE_DENTRO: Mutex<i64> = Mutex::new(0);

fn depositos_dentro() {
    for _ in 0..1_000_000 {
        *BALANCE_DENTRO.lock() += 1;
    }
}

fn retiros_dentro() {
    for _ in 0..1_000_000 {
        *BALANCE_DENTRO.lock() -= 1;
    }
}

fn run_both(thread1: Thread, thread2: Thread) -> Result<(), threading::Error> {
    thread1.start()?;
    thread2.start()?;

    thread1.join(None)?;
    thread2.join(None)?;
    Ok(())
}

fn main() -> Result<(), threading::Error> {
    // format='%(threadName)s: %(message)s'
    logging::basic_config(|_, thread_name, message| format!("{thread_name}: {message}"));

    run_both(Thread::new(depositos), Thread::new(retiros))?;
    let balance = BALANCE.load(Relaxed);
    logging::info!("El valor final del balance es: {balance}");
    assert_eq!(balance, 0);

    run_both(Thread::new(depositos_dentro), Thread::new(retiros_dentro))?;
    let balance = *BALANCE_DENTRO.lock();
    logging::info!("El valor final del balance es: {balance}");
    assert_eq!(balance, 0);
    Ok(())
}
