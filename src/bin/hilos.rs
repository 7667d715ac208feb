//! The command `hilos`: looks into a running program, as `python -m asyncio` does.

#![forbid(unsafe_code)]

use std::process::ExitCode;

const USAGE: &str = "\
usage: hilos ps PID
       hilos pstree PID

ps      prints a table of the asyncio tasks of a process
pstree  prints them as trees: below a task is what it awaits

The process must have called hilos::asyncio::tools::serve().
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["-h" | "--help"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        [command @ ("ps" | "pstree"), pid] => match pid.parse() {
            Ok(pid) => look::into(command, pid),
            Err(_) => wrong_usage(&format!("{pid} is not the number of a process")),
        },
        ["ps" | "pstree", ..] => wrong_usage("one process is expected"),
        _ => wrong_usage("ps or pstree is expected"),
    }
}

fn wrong_usage(what: &str) -> ExitCode {
    eprint!("hilos: {what}\n\n{USAGE}");
    ExitCode::from(2)
}

#[cfg(target_os = "linux")]
mod look {
    use std::io::{self, Write};
    use std::process::ExitCode;

    use hilos::asyncio::tools::{Report, ToolsError, ps, pstree};

    pub(super) fn into(command: &str, pid: u32) -> ExitCode {
        let report = match command {
            "ps" => ps(pid),
            _ => pstree(pid),
        };
        match report {
            Ok(report) => print(&report),
            Err(ToolsError::Cycles(text)) => fail(&text),
            Err(error) => fail(&format!("hilos: {error}")),
        }
    }

    fn print(report: &Report) -> ExitCode {
        // Whoever reads the output may have seen enough.
        let written = io::stdout().write_all(report.text.as_bytes());
        eprint!("{}", report.notes);
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                fail(&format!("hilos: {error}"))
            }
            _ => ExitCode::SUCCESS,
        }
    }

    fn fail(what: &str) -> ExitCode {
        eprintln!("{what}");
        ExitCode::FAILURE
    }
}

#[cfg(not(target_os = "linux"))]
mod look {
    use std::process::ExitCode;

    pub(super) fn into(_command: &str, _pid: u32) -> ExitCode {
        eprintln!("hilos: programs can be looked into on Linux only");
        ExitCode::FAILURE
    }
}
