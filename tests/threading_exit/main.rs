//! How programs end: each scenario is a whole program in a process of its own.
//!
//! The tests of CPython's that run another interpreter are mirrored here. Without an argument all
//! scenarios run; with one, those whose name contains it. `--list` lists them.

mod driver;
mod end_of_main;
mod exit_calls;
mod finalization;
mod fork;
mod hooks;
mod refused;

use driver::Scenario;

fn main() {
    let scenarios: Vec<Scenario> = [
        end_of_main::SCENARIOS,
        exit_calls::SCENARIOS,
        finalization::SCENARIOS,
        fork::SCENARIOS,
        hooks::SCENARIOS,
        refused::SCENARIOS,
    ]
    .concat();
    driver::main(&scenarios);
}
