//! What a task that waits takes of the memory, beside one of tokio's; and a million that sleep.
//!
//! Each kind waits in a process of its own, which says how much more memory there is in use when
//! all of them wait.

#[path = "common/wanted.rs"]
mod wanted;

use std::process::Command;
use std::rc::Rc;

use hilos::asyncio;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local, yield_now};

use wanted::wanted;

/// Has a process measure one kind, and says which.
const KIND: &str = "HILOS_ASYNCIO_MEMORY";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test` only wants to see it run.
    let count = if arguments.iter().any(|it| it == "--bench") {
        1_000_000
    } else {
        1_000
    };
    match std::env::var(KIND).as_deref() {
        Ok("hilos") => println!("{}", waiting_in_hilos(count / 10)),
        Ok("tokio") => println!("{}", waiting_in_tokio(count / 10)),
        Ok("sleep") => println!("{}", sleeping(count / 10)),
        Ok(_) => println!("{}", sleeping(count)),
        Err(_) if !cfg!(target_os = "linux") => println!("asyncio_memory: measured on Linux only"),
        Err(_) if wanted("asyncio_memory") => report(count, &arguments),
        Err(_) => {}
    }
}

fn report(count: usize, arguments: &[String]) {
    let kinds = ["hilos", "tokio", "sleep", "sleep_all"];
    let [hilos, tokio, some, all] = kinds.map(|kind| {
        let this = std::env::current_exe().unwrap();
        let child = Command::new(this).args(arguments).env(KIND, kind).output();
        let printed = String::from_utf8(child.unwrap().stdout).unwrap();
        printed.trim().parse::<usize>().unwrap()
    });
    let few = count / 10;
    println!("asyncio_memory: {few} wait");
    println!("asyncio_memory/hilos         {} bytes each", hilos / few);
    println!("asyncio_memory/tokio         {} bytes each", tokio / few);
    println!(
        "asyncio_memory/hilos/tokio   {:.2}",
        hilos as f64 / tokio.max(1) as f64
    );
    println!("asyncio_memory: {few} and {count} sleep");
    println!("asyncio_memory/{few}        {} bytes each", some / few);
    println!("asyncio_memory/{count}       {} bytes each", all / count);
    println!("asyncio_memory/{count}       {} MB", all / 1_000_000);
}

/// How many bytes more there are in use when so many tasks wait for an event.
fn waiting_in_hilos(count: usize) -> usize {
    let waiting = asyncio::run(async move {
        let before = in_use();
        let event = asyncio::Event::new();
        for _ in 0..count {
            asyncio::create_task(event.wait());
        }
        asyncio::sleep(0).await?;
        let after = in_use();
        event.set();
        Ok(after.saturating_sub(before))
    });
    waiting.unwrap()
}

/// The same for tokio.
fn waiting_in_tokio(count: usize) -> usize {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let before = in_use();
        let notify = Rc::new(Notify::new());
        for _ in 0..count {
            let notify = notify.clone();
            spawn_local(async move { notify.notified().await });
        }
        // A turn of its loop polls but a few dozen tasks.
        for _ in 0..count {
            yield_now().await;
        }
        let after = in_use();
        notify.notify_waiters();
        after.saturating_sub(before)
    })
}

/// How many bytes more there are in use when so many tasks sleep.
fn sleeping(count: usize) -> usize {
    let sleeping = asyncio::run(async move {
        let before = in_use();
        for _ in 0..count {
            asyncio::create_task(asyncio::sleep(3600));
        }
        asyncio::sleep(0).await?;
        Ok(in_use().saturating_sub(before))
    });
    sleeping.unwrap()
}

/// The memory of this process in bytes.
fn in_use() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    kilobytes(&status, "VmRSS:") + kilobytes(&status, "VmPTE:")
}

fn kilobytes(table: &str, name: &str) -> usize {
    let line = table.lines().find(|line| line.starts_with(name)).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    1024 * number.parse::<usize>().unwrap()
}
