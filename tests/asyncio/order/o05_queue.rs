//! Producers and consumers.

use super::{check, tick};
use hilos::asyncio::{self, Queue, create_task, gather, gather_results};

type Items = Queue<(&'static str, u32)>;

async fn producer(name: &'static str, q: Items, n: u32) -> asyncio::Result<()> {
    for i in 0..n {
        say!("{name} put {i}");
        q.put((name, i)).await?;
    }
    say!("{name} end");
    Ok(())
}

async fn consumer(name: &'static str, q: Items) -> asyncio::Result<()> {
    loop {
        let (from, i) = q.get().await?;
        say!("{name} got ('{from}', {i})");
        q.task_done()?;
    }
}

async fn main() -> asyncio::Result<()> {
    let q = Queue::new(1);
    let tk = create_task(tick(12));
    let ps = ["p1", "p2"].map(|n| create_task(producer(n, q.clone(), 3)));
    let cs = ["c1", "c2"].map(|n| create_task(consumer(n, q.clone())));
    gather(ps).await?;
    say!("produced");
    q.join().await?;
    say!("joined {}", q.qsize());
    for c in &cs {
        c.cancel();
    }
    let results = gather_results(cs).await?;
    let names: Vec<_> = results
        .into_iter()
        .map(|r| format!("'{}'", r.unwrap_err().type_name()))
        .collect();
    say!("[{}]", names.join(", "));
    // A queue without a limit: get does not wait while items are there.
    let q = Queue::new(0);
    let t = create_task(tick(2));
    for i in 0..300 {
        q.put(i).await?;
    }
    let mut s = 0;
    for _ in 0..300 {
        s += q.get().await?;
    }
    say!("sum {s}");
    t.await?;
    tk.await
}

#[test]
fn queue() {
    check(main(), include_str!("o05_queue.out"));
}
