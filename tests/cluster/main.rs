#![cfg(feature = "cluster")]

//! Pools and executors with workers in other processes, by a real redis-server that each test starts.
//!
//! Without an argument all tests run; with one, those whose name contains it. `--skip NAME` leaves
//! some out. Without a redis-server none runs, which is a failure with `CI=true` or
//! `HILOS_REQUIRE_REDIS=1`. `HILOS_CLUSTER_RUNS=30` repeats each fault, `HILOS_CLUSTER_TASKS`
//! says with how many tasks.

mod executor;
mod faults;
mod forgetful;
mod functions;
mod memory;
mod pool;
mod proxy;
mod runner;
mod security;
mod server;
mod strangers;
mod traps;
mod workers;

fn main() {
    security::log();
    functions::register();
    hilos::cluster::worker_main_with(functions::set_up);
    faults::doomed_client();
    runner::main(&[
        pool::CASES,
        executor::CASES,
        workers::CASES,
        security::CASES,
        strangers::CASES,
        traps::CASES,
        memory::CASES,
        faults::CASES,
        forgetful::CASES,
    ]);
}
