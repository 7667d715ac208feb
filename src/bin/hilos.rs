//! The command `hilos`: looks into a running program, as `python -m asyncio` does.

#![forbid(unsafe_code)]

use std::process::ExitCode;

const USAGE: &str = "\
usage: hilos ps PID
       hilos pstree PID
       hilos cluster status --queue NAME [--url URL] [--watch]

ps      prints a table of the asyncio tasks of a process
pstree  prints them as trees: below a task is what it awaits
cluster status  prints a queue's tasks and workers, and the tasks a second
        (with the feature `cluster`); the variable HILOS_CLUSTER_URL says where
        the server is if --url does not

The process of ps and pstree must have called hilos::asyncio::tools::serve().
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
        ["cluster", "status", ref options @ ..] => cluster::status(options),
        _ => wrong_usage("ps, pstree or cluster status is expected"),
    }
}

fn wrong_usage(what: &str) -> ExitCode {
    eprint!("hilos: {what}\n\n{USAGE}");
    ExitCode::from(2)
}

#[cfg(all(feature = "cluster", target_os = "linux"))]
mod cluster {
    use std::process::ExitCode;
    use std::thread::sleep;
    use std::time::Duration;

    use hilos::cluster::{self, Error};

    use super::wrong_usage;

    /// The rate is that of so long.
    const MOMENT: Duration = Duration::from_secs(1);

    pub(super) fn status(options: &[&str]) -> ExitCode {
        let value = |name: &str| {
            let at = options.iter().position(|option| *option == name)?;
            options.get(at + 1).map(ToString::to_string)
        };
        let from_environment = || std::env::var("HILOS_CLUSTER_URL").ok();
        let (Some(queue), Some(url)) = (value("--queue"), value("--url").or_else(from_environment))
        else {
            return wrong_usage("a queue and a URL are expected");
        };
        match show(&url, &queue, options.contains(&"--watch")) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("hilos: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn show(url: &str, queue: &str, for_ever: bool) -> Result<(), Error> {
        let mut before = cluster::status(url, queue)?;
        loop {
            sleep(MOMENT);
            let now = cluster::status(url, queue)?;
            println!("{now}{:.1} tasks a second", now.rate_since(&before));
            if !for_ever {
                return Ok(());
            }
            before = now;
        }
    }
}

#[cfg(not(all(feature = "cluster", target_os = "linux")))]
mod cluster {
    use std::process::ExitCode;

    pub(super) fn status(_options: &[&str]) -> ExitCode {
        eprintln!("hilos: this program was built without the feature `cluster`");
        ExitCode::FAILURE
    }
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
