//! A5, cancellation: a task that cleans up when it is cancelled, one that is shielded, and a group of them.
//!
//! Run: cargo run --release --example asyncio_cancel

use hilos::asyncio::{self, Future, Result};

async fn cancel_me(started: Future<()>) -> Result<()> {
    println!("cancel_me(): before sleep");
    started.set_result(())?;
    // Python's `try` is what is awaited, `finally` what follows.
    let slept = asyncio::sleep(3600).await;
    if slept.is_err() {
        println!("cancel_me(): cancel sleep");
    }
    println!("cancel_me(): after sleep");
    slept
}

async fn cancel() -> Result<()> {
    let started = asyncio::get_running_loop()?.create_future();
    let task = asyncio::create_task(cancel_me(started.clone()));
    started.await?;
    task.cancel_with("no more time");
    let exception = task.await.unwrap_err();
    println!("main(): cancel_me is cancelled now: {}", exception.repr());
    assert!(exception.is_cancelled());
    Ok(())
}

/// What is shielded goes on without the one who waits for it.
async fn shield() -> Result<()> {
    let event_loop = asyncio::get_running_loop()?;
    let (order, finish) = (event_loop.create_future(), event_loop.create_future());
    let (started, may_finish) = (order.clone(), finish.clone());
    let dish = asyncio::create_task(async move {
        started.set_result(())?;
        may_finish.await?;
        Ok("burger")
    });
    let cooking = dish.clone();
    let guest = asyncio::create_task(async move { asyncio::shield(cooking).await });
    order.await?;
    asyncio::sleep(0).await?;
    guest.cancel();
    println!(
        "the guest left: {}",
        guest.await.unwrap_err().is_cancelled()
    );
    finish.set_result(())?;
    let dish = dish.await?;
    println!("the {dish} is ready all the same");
    assert_eq!(dish, "burger");
    Ok(())
}

/// Where one of a group fails, the others are cancelled.
async fn group() -> Result<()> {
    let failed = asyncio::task_group(async |group| {
        for name in ["first", "second"] {
            group.create_task(async move {
                let slept = asyncio::sleep(3600).await;
                println!("the {name} was cancelled");
                slept
            });
        }
        asyncio::sleep(0).await?;
        Err::<(), _>(std::io::Error::other("no more beer").into())
    });
    println!("{}", failed.await.unwrap_err());
    Ok(())
}

fn main() -> Result<()> {
    asyncio::run(async {
        cancel().await?;
        shield().await?;
        group().await
    })
}
