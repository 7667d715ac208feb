//! Programs with an event loop, each in a process of its own: what needs the main thread, as
//! signals and Ctrl-C do, a standard error output to itself, or all its descriptors and memory.
//!
//! Without an argument all scenarios run; with one, those whose name contains it.

#[path = "../threading_exit/driver.rs"]
mod driver;
#[cfg(target_os = "linux")]
mod handlers;
#[cfg(target_os = "linux")]
mod interrupts;
#[cfg(target_os = "linux")]
mod load;
mod output;

#[cfg(target_os = "linux")]
use nix::sys::signal::{SigHandler, Signal};

fn main() {
    // A shell's background job may have been told to ignore Ctrl-C, which its children inherit.
    #[cfg(target_os = "linux")]
    handlers::set(Signal::SIGINT, SigHandler::SigDfl);
    driver::main(&[output::SCENARIOS, &linux()].concat());
}

#[cfg(target_os = "linux")]
fn linux() -> Vec<driver::Scenario> {
    [handlers::SCENARIOS, interrupts::SCENARIOS, load::SCENARIOS].concat()
}

#[cfg(not(target_os = "linux"))]
fn linux() -> Vec<driver::Scenario> {
    Vec::new()
}
