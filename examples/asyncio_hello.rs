//! M19: hello, a second later world.
//!
//! Run: cargo run --release --example asyncio_hello
//! CI: --scale 0.05

use hilos::asyncio;

#[path = "common/scale.rs"]
mod scale;

async fn main_(second: f64) -> asyncio::Result<()> {
    println!("Hello ...");
    asyncio::sleep(second).await?;
    println!("... World!");
    Ok(())
}

fn main() -> asyncio::Result<()> {
    asyncio::run(main_(scale::from_args(1.0)))
}
