//! The programs that the tests look into.

use std::env;
use std::io::Read;
use std::sync::mpsc;

use hilos::asyncio::tools;
use hilos::asyncio::{
    self, Event, Result, create_task, future_add_to_awaited_by, sleep, task_group,
};

use super::PROGRAM;

/// What their places are in.
pub(super) const FILE: &str = file!();

#[test]
#[ignore = "the programs that the tests look into"]
fn program() {
    let program = env::var(PROGRAM).unwrap_or_default();
    let serving = match program.as_str() {
        "silent" => Ok(()),
        _ => tools::serve(),
    };
    match (program.as_str(), serving) {
        (_, Err(error)) => say(&error.to_string()),
        ("restaurant", _) => asyncio::run(restaurant()).unwrap(),
        ("busy", _) => asyncio::run(busy()).unwrap(),
        ("callback", _) => asyncio::run(callback()).unwrap(),
        ("circle", _) => asyncio::run(circle()).unwrap(),
        _ => say("ready"),
    }
    wait_for_the_end();
}

fn say(what: &str) {
    println!("says: {what}");
}

/// Until the test kills the program, or has ended itself.
fn wait_for_the_end() {
    let _ = std::io::stdin().read(&mut [0]);
}

async fn restaurant() -> Result<()> {
    async fn cook() -> Result<()> {
        sleep(3600).await
    }
    async fn dessert(after: Event) -> Result<()> {
        after.wait().await
    }
    async fn table() -> Result<()> {
        task_group(async |dishes| {
            let _soup = dishes.create_task(cook()).with_name("soup");
            let _cake = dishes.create_task(dessert(Event::new())).with_name("cake");
            Ok(())
        })
        .await
    }
    let table = create_task(table()).with_name("table");
    sleep(0).await?;
    sleep(0).await?;
    asyncio::get_running_loop()?.call_soon(|| say("ready"))?;
    (&table).await
}

async fn busy() -> Result<()> {
    async fn hog() -> Result<()> {
        say("ready");
        wait_for_the_end();
        Ok(())
    }
    // Another loop is not.
    let (began, begun) = mpsc::channel();
    std::thread::spawn(move || {
        asyncio::run(async move {
            began.send(()).unwrap();
            sleep(3600).await
        })
    });
    begun.recv().unwrap();
    create_task(hog()).with_name("hog").await
}

async fn callback() -> Result<()> {
    asyncio::get_running_loop()?.call_soon(|| {
        say("ready");
        wait_for_the_end();
    })?;
    sleep(3600).await
}

async fn circle() -> Result<()> {
    let (one, two) = (create_task(sleep(3600)), create_task(sleep(3600)));
    one.set_name("one");
    two.set_name("two");
    future_add_to_awaited_by(&one, &two);
    future_add_to_awaited_by(&two, &one);
    sleep(0).await?;
    say("ready");
    one.await
}
