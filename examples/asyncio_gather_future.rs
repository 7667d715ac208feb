//! M22: a future of a call in a thread and a coroutine, awaited together.
//!
//! Run: cargo run --release --example asyncio_gather_future

use hilos::asyncio;

fn function_that_returns_a_future_object() -> asyncio::Result<asyncio::Future<i32>> {
    asyncio::get_running_loop()?.run_in_executor(None, || 6 * 7)
}

async fn some_coroutine() -> asyncio::Result<&'static str> {
    asyncio::sleep(0).await?;
    Ok("done")
}

fn main() -> asyncio::Result<()> {
    asyncio::run(async {
        println!("{}", function_that_returns_a_future_object()?.await?);
        // This is valid too.
        let future = function_that_returns_a_future_object()?;
        let both = asyncio::gather!(future, some_coroutine()).await?;
        println!("{both:?}");
        assert_eq!(both, (42, "done"));
        Ok(())
    })
}
