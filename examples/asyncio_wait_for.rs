//! M25: an hour's sleep that is given a second.
//!
//! Run: cargo run --release --example asyncio_wait_for
//! CI: --scale 0.05

use hilos::asyncio;

#[path = "common/scale.rs"]
mod scale;

async fn eternity() -> asyncio::Result<()> {
    // Sleep for one hour
    asyncio::sleep(3600).await?;
    println!("yay!");
    Ok(())
}

fn main() -> asyncio::Result<()> {
    let second = scale::from_args(1.0);
    asyncio::run(async move {
        // Wait for at most 1 second
        match asyncio::wait_for(eternity(), second).await {
            Err(error) if error.is_timeout() => println!("timeout!"),
            other => panic!("an hour is over: {other:?}"),
        }
        Ok(())
    })
}
