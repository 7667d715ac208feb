//! M24: three factorials, computed side by side.
//!
//! Run: cargo run --release --example asyncio_factorial
//! CI: --scale 0.05

use hilos::asyncio;

#[path = "common/scale.rs"]
mod scale;

async fn factorial(name: &str, number: u64, second: f64) -> asyncio::Result<u64> {
    let mut f = 1;
    for i in 2..=number {
        println!("Task {name}: Compute factorial({i})...");
        asyncio::sleep(second).await?;
        f *= i;
    }
    println!("Task {name}: factorial({number}) = {f}");
    Ok(f)
}

fn main() -> asyncio::Result<()> {
    let second = scale::from_args(1.0);
    asyncio::run(async move {
        // Schedule three calls *concurrently*:
        let results = asyncio::gather!(
            factorial("A", 2, second),
            factorial("B", 3, second),
            factorial("C", 4, second),
        )
        .await?;
        println!("{results:?}");
        assert_eq!(results, (2, 6, 24));
        Ok(())
    })
}
