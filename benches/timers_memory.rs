//! What a timer that waits takes of the memory, beside a thread that waits.
//!
//! Each kind waits in a process of its own, which says how much more memory there is in use when
//! all of them wait: its own pages, and on Linux the kernel's stacks and page tables.

#[path = "common/wanted.rs"]
mod wanted;

use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use hilos::threading::Timer;

use wanted::wanted;

/// Has a process measure one kind, and says which.
const KIND: &str = "HILOS_TIMERS_MEMORY";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test` only wants to see it run.
    let count = if arguments.iter().any(|it| it == "--bench") {
        10_000
    } else {
        100
    };
    match std::env::var(KIND).as_deref() {
        Ok("timer") => println!("{}", growth(|| start_timers(count)) / count),
        Ok(_) => println!("{}", growth(|| start_threads(count)) / count),
        Err(_) if !cfg!(target_os = "linux") => println!("timers_memory: measured on Linux only"),
        Err(_) if wanted("timers_memory") => report(count, &arguments),
        Err(_) => {}
    }
}

fn report(count: usize, arguments: &[String]) {
    let [timer, thread] = ["timer", "thread"].map(|kind| {
        // The kernel's part is the whole machine's: the middle one of some, for others use it too.
        let mut each: [usize; 5] = std::array::from_fn(|_| {
            let this = std::env::current_exe().unwrap();
            let child = Command::new(this).args(arguments).env(KIND, kind).output();
            let printed = String::from_utf8(child.unwrap().stdout).unwrap();
            printed.trim().parse().unwrap()
        });
        each.sort_unstable();
        each[2]
    });
    println!("timers_memory: {count} wait");
    println!("timers_memory/hilos         {timer} bytes each");
    println!("timers_memory/std           {thread} bytes each");
    println!(
        "timers_memory/std/hilos     {:.0}",
        thread as f64 / timer.max(1) as f64
    );
}

/// How many bytes more there are in use when what `start` has started waits.
fn growth<W>(start: impl FnOnce() -> W) -> usize {
    let before = in_use();
    let waiting = start();
    let after = in_use();
    drop(waiting);
    after.saturating_sub(before)
}

fn start_timers(count: usize) -> Vec<Timer> {
    let start = |_| {
        // The process shall not wait for them.
        let timer = Timer::new(3600, || ()).with_daemon(true);
        timer.start().unwrap();
        timer
    };
    (0..count).map(start).collect()
}

/// Threads that wait to be cancelled, as Python's timers do.
fn start_threads(count: usize) -> impl Sized {
    let (begun, all_begun) = channel();
    let start = |_| {
        let (cancel, cancelled) = channel::<()>();
        let begun = begun.clone();
        let wait = move || {
            begun.send(()).unwrap();
            let _ = cancelled.recv_timeout(Duration::from_secs(3600));
        };
        (cancel, std::thread::spawn(wait))
    };
    let waiting: Vec<_> = (0..count).map(start).collect();
    assert_eq!(all_begun.iter().take(count).count(), count);
    waiting
}

/// The memory of this process in bytes, with all the kernel's stacks, whose number only this
/// process changes much.
fn in_use() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let machine = std::fs::read_to_string("/proc/meminfo").unwrap();
    kilobytes(&status, "VmRSS:")
        + kilobytes(&status, "VmPTE:")
        + kilobytes(&machine, "KernelStack:")
        + kilobytes(&machine, "SUnreclaim:")
}

fn kilobytes(table: &str, name: &str) -> usize {
    let line = table.lines().find(|line| line.starts_with(name)).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    1024 * number.parse::<usize>().unwrap()
}
