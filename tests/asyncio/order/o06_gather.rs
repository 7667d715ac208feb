//! `gather`, `as_completed` and `wait`.

use super::{check, raise, tick};
use hilos::asyncio::{
    self, ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Future, as_completed, create_task,
    gather, sleep, wait,
};

async fn w(name: &'static str, n: u32) -> asyncio::Result<&'static str> {
    for _ in 0..n {
        sleep(0).await?;
    }
    say!("end {name}");
    Ok(name)
}

async fn failing(name: &'static str, n: u32) -> asyncio::Result<&'static str> {
    w(name, n).await?;
    raise("ValueError", name)
}

/// A list as Python prints it.
fn list(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
    format!("[{}]", names.join(", "))
}

fn results<F: std::ops::Deref<Target = Future<&'static str>>>(
    done: &[F],
) -> asyncio::Result<String> {
    let names: asyncio::Result<Vec<_>> = done.iter().map(|t| t.result()).collect();
    Ok(list(&names?))
}

async fn main() -> asyncio::Result<()> {
    let tk = create_task(tick(40));
    say!(
        "gather {}",
        list(&gather([w("a", 2), w("b", 1), w("c", 0)]).await?)
    );
    // It starts now.
    let g = gather([w("d", 1), w("e", 0)]);
    let t = create_task(w("f", 0));
    say!("created");
    say!("{}", t.await?);
    say!("{}", list(&g.await?));
    match gather!(w("g", 3), failing("h", 1), w("i", 2)).await {
        Err(e) if e.type_name() == "ValueError" => say!("caught {e}"),
        other => drop(other?),
    }
    let (j, k) = gather!(failing("j", 1), w("k", 0); return_exceptions).await?;
    say!("[{}, '{}']", j.unwrap_err().repr(), k?);
    for c in as_completed([w("l", 2)], None) {
        say!("ac {}", c.await?);
    }
    let ts = [("m", 3), ("n", 1), ("o", 2)].map(|(n, k)| create_task(w(n, k)));
    let completed = as_completed(ts, None);
    while let Some(t) = completed.next().await? {
        say!("ac {}", t.result()?);
    }
    let ts = [("p", 4), ("q", 1)].map(|(n, k)| create_task(w(n, k)));
    let (done, pend) = wait(&ts, None, FIRST_COMPLETED).await?;
    say!("{} {}", results(&done)?, pend.len());
    let (done, pend) = wait(&pend, None, ALL_COMPLETED).await?;
    say!("{} {}", results(&done)?, pend.len());
    let ts = [
        create_task(w("r", 1)),
        create_task(failing("s", 2)),
        create_task(w("t", 5)),
    ];
    let (done, mut pend) = wait(&ts, None, FIRST_EXCEPTION).await?;
    let mut names = Vec::new();
    for t in &done {
        names.push(t.exception()?.map_or_else(
            || t.result(),
            |e| Ok(if e.to_string() == "s" { "s" } else { "?" }),
        )?);
    }
    names.sort_unstable();
    say!("{} {}", list(&names), pend.len());
    say!("{}", pend.pop().unwrap().await?);
    say!(
        "empty {}",
        list(&gather(Vec::<Future<&'static str>>::new()).await?)
    );
    tk.await
}

#[test]
fn gathering() {
    check(main(), include_str!("o06_gather.out"));
}
