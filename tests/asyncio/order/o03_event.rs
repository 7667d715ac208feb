//! Tasks that wait for an event.

use std::fmt::Display;

use super::{check, tick};
use hilos::asyncio::{self, Event, create_task, gather, sleep};

async fn waiter(i: impl Display, ev: Event) -> asyncio::Result<()> {
    say!("wait {i}");
    ev.wait().await?;
    say!("woke {i} True");
    sleep(0).await?;
    say!("again {i}");
    Ok(())
}

async fn main() -> asyncio::Result<()> {
    let ev = Event::new();
    let [t0, t1, t2] = [0, 1, 2].map(|i| create_task(waiter(i, ev.clone())));
    let tk = create_task(tick(8));
    sleep(0).await?;
    say!("main 1");
    sleep(0).await?;
    say!("main 2");
    let late = create_task(waiter("late", ev.clone()));
    ev.set();
    say!("set");
    sleep(0).await?;
    say!("main 3");
    ev.clear();
    let l2 = create_task(waiter("l2", ev.clone()));
    sleep(0).await?;
    say!("main 4");
    t1.cancel();
    // It wakes l2 although the flag is down again.
    ev.set();
    ev.clear();
    sleep(0).await?;
    say!("main 5");
    let _ = gather!(t0, t1, t2, late, l2, tk; return_exceptions).await?;
    say!("done");
    Ok(())
}

#[test]
fn event() {
    check(main(), include_str!("o03_event.out"));
}
