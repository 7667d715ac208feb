//! M20, M21: two coroutines in turn, which take 3 s, then as two tasks, which take 2 s; and one that
//! nobody awaits, which does not run. Times of day are UTC.
//!
//! Run: cargo run --release --example asyncio_say_after
//! CI: --scale 0.05

use std::time::Instant;

use hilos::asyncio;
use strftime::strftime_x;

#[path = "common/scale.rs"]
mod scale;
#[path = "common/strftime.rs"]
mod strftime;

async fn say_after(delay: f64, what: &str) -> asyncio::Result<()> {
    asyncio::sleep(delay).await?;
    println!("{what}");
    Ok(())
}

async fn in_turn(second: f64) -> asyncio::Result<()> {
    println!("started at {}", strftime_x());
    say_after(second, "hello").await?;
    say_after(2.0 * second, "world").await?;
    println!("finished at {}", strftime_x());
    Ok(())
}

async fn as_tasks(second: f64) -> asyncio::Result<()> {
    let task1 = asyncio::create_task(say_after(second, "hello"));
    let task2 = asyncio::create_task(say_after(2.0 * second, "world"));
    println!("started at {}", strftime_x());
    // Both together take as long as the longer one.
    task1.await?;
    task2.await?;
    println!("finished at {}", strftime_x());
    Ok(())
}

fn main() -> asyncio::Result<()> {
    let second = scale::from_args(1.0);
    // The compiler warns of a coroutine that is not awaited; this one is dropped on purpose.
    drop(say_after(second, "never"));

    let start = Instant::now();
    asyncio::run(in_turn(second))?;
    assert!(start.elapsed().as_secs_f64() >= 3.0 * second);

    let start = Instant::now();
    asyncio::run(as_tasks(second))?;
    assert!(start.elapsed().as_secs_f64() >= 2.0 * second);
    Ok(())
}
