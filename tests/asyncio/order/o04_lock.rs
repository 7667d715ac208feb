//! A lock, its waiters, and what becomes of those that are cancelled.

use super::{check, python};
use hilos::asyncio::{self, ALL_COMPLETED, Lock, create_task, gather, sleep, wait};

async fn w(name: &'static str, lock: Lock, n: u32) -> asyncio::Result<()> {
    for i in 0..n {
        let _held = lock.lock().await?;
        say!("{name} got {i}");
        sleep(0).await?;
        say!("{name} rel {i}");
    }
    Ok(())
}

async fn main() -> asyncio::Result<()> {
    let lock = Lock::new();
    let ts = ["a", "b", "c"].map(|n| create_task(w(n, lock.clone(), 2)));
    sleep(0).await?;
    say!("main locked {}", python(lock.locked()));
    lock.acquire().await?;
    say!("main got");
    let t = create_task(w("d", lock.clone(), 1));
    sleep(0).await?;
    lock.release()?;
    // It is free but a waiter is queued: nobody barges in.
    say!("unlocked? {}", python(lock.locked()));
    lock.acquire().await?;
    say!("main got again");
    lock.release()?;
    gather(ts.into_iter().chain([t])).await?;
    // The waiter at the head is cancelled.
    lock.acquire().await?;
    let c1 = create_task(w("c1", lock.clone(), 1));
    let c2 = create_task(w("c2", lock.clone(), 1));
    sleep(0).await?;
    c1.cancel();
    lock.release()?;
    sleep(0).await?;
    say!("m");
    c2.await?;
    say!("c1 {}", python(c1.cancelled()));
    // Woken and cancelled in the same turn: the lock passes on.
    lock.acquire().await?;
    let c1 = create_task(w("c1", lock.clone(), 1));
    let c2 = create_task(w("c2", lock.clone(), 1));
    sleep(0).await?;
    lock.release()?;
    c1.cancel();
    wait(&[c1.clone(), c2], None, ALL_COMPLETED).await?;
    say!("c1 {} {}", python(c1.cancelled()), python(lock.locked()));
    Ok(())
}

#[test]
fn lock() {
    check(main(), include_str!("o04_lock.out"));
}
