//! A restaurant that is looked into while it is open: which dishes it waits for, as a table and as trees.
//!
//! Run: cargo run --release --example asyncio_ps -- [--open]
//!
//! With `--open` it stays open until its input ends. Elsewhere, `cargo run --release --bin hilos pstree PID` shows what
//! this prints of itself.

use hilos::asyncio::{self, Event, create_task, sleep, task_group, to_thread, tools};

async fn cook(minutes: u64) -> asyncio::Result<()> {
    sleep(60 * minutes).await
}

async fn dessert(after: Event) -> asyncio::Result<()> {
    after.wait().await?;
    cook(5).await
}

async fn table() -> asyncio::Result<()> {
    task_group(async |dishes| {
        let eaten = Event::new();
        let _soup = dishes.create_task(cook(10)).with_name("soup");
        let _fish = dishes.create_task(cook(20)).with_name("fish");
        let _cake = dishes.create_task(dessert(eaten)).with_name("cake");
        Ok(())
    })
    .await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tools::serve()?;
    let (pid, open) = (
        std::process::id(),
        std::env::args().any(|arg| arg == "--open"),
    );
    let (table, tree) = asyncio::run(async move {
        let table = create_task(table()).with_name("table 1");
        sleep(0.01).await?;
        let seen =
            to_thread(move || Ok::<_, tools::ToolsError>((tools::ps(pid)?, tools::pstree(pid)?)));
        let seen = seen.await??;
        if open {
            println!("process {pid} is open until its input ends");
            to_thread(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
        }
        table.cancel();
        Ok(seen)
    })?;
    println!("{}\n{}", table.text, tree.text);
    assert!(tree.text.contains("(T) fish") && tree.text.contains("Event.wait"));
    assert_eq!(
        (table.notes.as_str(), tree.notes.as_str()),
        ("", ""),
        "no loop is busy"
    );
    Ok(())
}
