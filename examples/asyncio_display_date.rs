//! M23: the time, once a second, for five seconds of the loop's clock.
//!
//! Run: cargo run --release --example asyncio_display_date
//! CI: --scale 0.05

use hilos::asyncio;

#[path = "common/scale.rs"]
mod scale;

async fn display_date(second: f64) -> asyncio::Result<u32> {
    let loop_ = asyncio::get_running_loop()?;
    let start = loop_.time();
    let end_time = start + 5.0 * second;
    let mut lines = 0;
    loop {
        println!("{:.1} s", (loop_.time() - start) / second);
        lines += 1;
        if loop_.time() + second >= end_time {
            return Ok(lines);
        }
        asyncio::sleep(second).await?;
    }
}

fn main() -> asyncio::Result<()> {
    let lines = asyncio::run(display_date(scale::from_args(1.0)))?;
    assert!((4..=6).contains(&lines), "{lines} lines");
    Ok(())
}
