//! Runs scenarios in processes of their own and compares how they end.

use std::io::Read;
use std::process::{Command, ExitCode, Stdio, Termination};
use std::time::{Duration, Instant};

/// A program and how it should end.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> ExitCode,
    /// The exit code.
    pub(crate) code: i32,
    /// All that it prints.
    pub(crate) stdout: &'static str,
    /// Pieces of what it prints on the standard error output; none if it prints nothing there.
    pub(crate) stderr: &'static [&'static str],
}

/// The variable that names the scenario to a child.
const NAME: &str = "HILOS_SCENARIO";

/// A process that has not ended by now hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn main(scenarios: &[Scenario]) {
    if let Ok(name) = std::env::var(NAME) {
        let scenario = scenarios.iter().find(|scenario| scenario.name == name);
        let code = (scenario.expect("a known scenario").run)();
        // As `main` itself would return it.
        if code.report() != ExitCode::SUCCESS {
            std::process::exit(1);
        }
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let list = arguments.iter().any(|argument| argument == "--list");
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    let exact = arguments.iter().any(|argument| argument == "--exact");
    let wanted = |scenario: &&Scenario| match filter {
        Some(filter) if exact => scenario.name == filter,
        Some(filter) => scenario.name.contains(filter.as_str()),
        None => true,
    };
    let wanted: Vec<&Scenario> = scenarios.iter().filter(wanted).collect();
    if list {
        // A runner that asks for the ignored ones is told that there are none.
        if !arguments.iter().any(|argument| argument == "--ignored") {
            wanted
                .iter()
                .for_each(|scenario| println!("{}: test", scenario.name));
        }
        return;
    }
    run_all(&wanted);
}

fn run_all(scenarios: &[&Scenario]) {
    println!("\nrunning {} tests", scenarios.len());
    let mut failed = 0;
    for scenario in scenarios {
        match check(scenario) {
            Ok(()) => println!("test {} ... ok", scenario.name),
            Err(difference) => {
                failed += 1;
                println!("test {} ... FAILED\n{difference}", scenario.name);
            }
        }
    }
    let (word, passed) = (
        if failed == 0 { "ok" } else { "FAILED" },
        scenarios.len() - failed,
    );
    println!(
        "\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n"
    );
    if failed > 0 {
        std::process::exit(101);
    }
}

fn check(scenario: &Scenario) -> Result<(), String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(NAME, scenario.name)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).unwrap();
        text
    });
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if start.elapsed() > PATIENCE => break None,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut stdout = String::new();
    out.read_to_string(&mut stdout).unwrap();
    let stderr = reader.join().unwrap();
    let told = match scenario.stderr {
        [] => stderr.is_empty(),
        pieces => pieces.iter().all(|piece| stderr.contains(piece)),
    };
    let code = status.map(|status| status.code());
    if code == Some(Some(scenario.code)) && stdout == scenario.stdout && told {
        return Ok(());
    }
    let expected = (scenario.code, scenario.stdout, scenario.stderr);
    Err(format!(
        "expected {expected:?}\ncode {code:?}\nstdout {stdout:?}\nstderr {stderr}"
    ))
}

/// A scenario that prints nothing on the standard error output and returns 0.
pub(crate) const fn quiet(
    name: &'static str,
    run: fn() -> ExitCode,
    stdout: &'static str,
) -> Scenario {
    Scenario {
        name,
        run,
        code: 0,
        stdout,
        stderr: &[],
    }
}
