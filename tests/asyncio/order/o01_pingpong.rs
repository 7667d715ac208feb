//! Tasks that take turns.

use super::check;
use hilos::asyncio::{self, create_task, sleep};

async fn ping(name: &'static str, n: u32) -> asyncio::Result<&'static str> {
    for i in 0..n {
        say!("{name} {i}");
        sleep(0).await?;
    }
    say!("{name} end");
    Ok(name)
}

async fn main() -> asyncio::Result<()> {
    let a = create_task(ping("a", 3));
    let b = create_task(ping("b", 4));
    say!("main before");
    sleep(0).await?;
    say!("main 1");
    let c = create_task(ping("c", 2));
    sleep(0).await?;
    say!("main 2");
    say!("{}", b.await?);
    say!("{}", a.await?);
    say!("main 3");
    sleep(-1).await?;
    say!("{}", c.await?);
    say!("done");
    Ok(())
}

#[test]
fn pingpong() {
    check(main(), include_str!("o01_pingpong.out"));
}
