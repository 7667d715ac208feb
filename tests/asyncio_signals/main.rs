//! Signals and Ctrl-C in the event loop: each scenario is a program of its own, because only the
//! main thread may handle signals.
//!
//! Without an argument all scenarios run; with one, those whose name contains it.

#[path = "../threading_exit/driver.rs"]
mod driver;
#[cfg(target_os = "linux")]
mod handlers;
#[cfg(target_os = "linux")]
mod interrupts;

fn main() {
    #[cfg(target_os = "linux")]
    driver::main(&[handlers::SCENARIOS, interrupts::SCENARIOS].concat());
    #[cfg(not(target_os = "linux"))]
    driver::main(&[]);
}
