//! What a client of a manager that has nothing to ask takes of the server's memory, alone.

#[cfg(target_os = "linux")]
#[path = "common/wanted.rs"]
mod wanted;

#[cfg(target_os = "linux")]
fn main() {
    if wanted::wanted("managers_memory") {
        println!("managers_memory/hilos       {} KiB each", kib_each());
    }
}

/// How much more a server has with clients, each of which has called an object and keeps its connection.
#[cfg(target_os = "linux")]
fn kib_each() -> u64 {
    use std::sync::{Arc, Barrier};

    use hilos::multiprocessing::managers::{DictProxy, SyncManager};

    const CLIENTS: u64 = 200;
    let manager = SyncManager::new();
    manager.start().unwrap();
    let pid = manager.process().and_then(|process| process.pid()).unwrap();
    let dict: DictProxy<i64, String> = manager.dict_of().unwrap();
    dict.insert(1, "one").unwrap();
    let before = private_kib(pid);
    let meeting = Arc::new(Barrier::new(CLIENTS as usize + 1));
    for client in 0..CLIENTS as i64 {
        let (dict, meeting) = (dict.clone(), meeting.clone());
        std::thread::spawn(move || {
            dict.insert(client, "its own").unwrap();
            dict.get_item(client).unwrap();
            meeting.wait();
            meeting.wait();
        });
    }
    meeting.wait();
    let after = private_kib(pid);
    meeting.wait();
    (after - before) / CLIENTS
}

#[cfg(target_os = "linux")]
fn private_kib(pid: u32) -> u64 {
    let table = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let private = table.lines().filter(|line| line.starts_with("Private_"));
    let kib = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.sum()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("managers_memory: measured on Linux only");
}
