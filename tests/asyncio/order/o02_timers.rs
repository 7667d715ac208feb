//! Timers: by deadline, and equal ones in the order of CPython's heap.

use std::time::Duration;

use super::{check, python};
use hilos::asyncio::{self, ALL_COMPLETED, create_task, get_running_loop, sleep, wait};

async fn s(name: String, d: f64) -> asyncio::Result<()> {
    sleep(d).await?;
    say!("{name}");
    Ok(())
}

/// Its deadline does not depend on when the task starts.
async fn at(name: String, t: f64) -> asyncio::Result<()> {
    sleep(t - get_running_loop()?.time()).await?;
    say!("{name}");
    Ok(())
}

async fn main() -> asyncio::Result<()> {
    let event_loop = get_running_loop()?;
    // A millisecond apart, created in reverse order of their deadlines.
    let t0 = event_loop.time();
    let ts = [22, 21, 20].map(|d| create_task(at(format!("ms{d}"), t0 + f64::from(d) / 1000.0)));
    wait(&ts, None, ALL_COMPLETED).await?;
    // Less than a millisecond apart.
    let t0 = event_loop.time();
    let ts = [10900, 10500, 10100, 10300]
        .map(|d| create_task(at(format!("us{d}"), t0 + f64::from(d) / 1e6)));
    for t in ts {
        t.await?;
    }
    // Equal delays: the order of creation.
    let ts = [0, 1, 2, 3, 4].map(|d| create_task(s(format!("eq{d}"), 0.005)));
    for t in ts {
        t.await?;
    }
    // Equal deadlines: the order of the heap.
    let t0 = event_loop.time() + 0.005;
    for i in 0..8 {
        event_loop.call_at(t0, move || say!("tie {i}"))?;
    }
    sleep(0.01).await?;
    // Deadlines in the past: by deadline, and not before what is ready already.
    let t0 = event_loop.time();
    event_loop.call_at(t0 - 1.0, || say!("past 1"))?;
    event_loop.call_at(t0 - 3.0, || say!("past 3"))?;
    event_loop.call_at(t0 - 2.0, || say!("past 2"))?;
    event_loop.call_soon(|| say!("soon"))?;
    event_loop.call_later(0, || say!("later0"))?;
    event_loop.call_later(-5, || say!("later-5"))?;
    sleep(0).await?;
    say!("main 1");
    sleep(0).await?;
    say!("main 2");
    // A task that sleeps needs a turn more than a call with a later deadline.
    create_task(s("task".to_owned(), 0.003));
    sleep(0).await?;
    event_loop.call_later(0.0031, || say!("handle"))?;
    std::thread::sleep(Duration::from_millis(6));
    sleep(0).await?;
    say!("m1");
    sleep(0).await?;
    say!("m2");
    sleep(0).await?;
    say!("m3");
    let h = event_loop.call_later(0.001, || say!("never"))?;
    h.cancel();
    sleep(0.003).await?;
    say!("done {}", python(h.cancelled()));
    Ok(())
}

#[test]
fn timers() {
    check(main(), include_str!("o02_timers.out"));
}
