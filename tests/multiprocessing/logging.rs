//! `log_to_stderr`.

use std::process::{Command, Stdio};

use hilos::multiprocessing::{LOGGER, Process, Queue, StartMethod, log_to_stderr};
use tracing::Level;

use crate::support::{run_to_end, with_one_thread};

fn enabled(level: Level) -> bool {
    match level {
        Level::INFO => tracing::enabled!(target: LOGGER, Level::INFO),
        _ => tracing::enabled!(target: LOGGER, Level::WARN),
    }
}

// cpython: _test_multiprocessing.py::_TestLogging::test_level
#[test]
fn processes_log_as_their_parent_does() {
    fn child(levels: Queue<(bool, bool)>) {
        levels
            .put(&(enabled(Level::WARN), enabled(Level::INFO)))
            .unwrap();
    }
    fn test() {
        let levels = Queue::new(0).unwrap();
        let methods = [
            StartMethod::Fork,
            StartMethod::ForkServer,
            StartMethod::Spawn,
        ];
        let settings = [
            None,
            Some(Level::WARN),
            Some(Level::INFO),
            Some(Level::ERROR),
        ];
        for setting in settings {
            if let Some(level) = setting {
                log_to_stderr(level);
            }
            let expected = (
                setting.is_some_and(|level| level >= Level::WARN),
                setting.is_some_and(|level| level >= Level::INFO),
            );
            assert_eq!((enabled(Level::WARN), enabled(Level::INFO)), expected);
            for method in methods {
                let process = Process::new(child, (levels.clone(),)).with_start_method(method);
                assert_eq!(run_to_end(&process), Some(0));
                assert_eq!(levels.get().unwrap(), expected, "{method} {setting:?}");
            }
        }
    }
    with_one_thread(Process::new(test, ()));
}

#[test]
#[ignore = "run as a program"]
fn program_that_logs() {
    tracing::info!(target: LOGGER, "nobody listens yet");
    log_to_stderr(Level::INFO);
    tracing::info!(target: LOGGER, job = 7, "doing good work");
    tracing::debug!(target: LOGGER, "this will not be printed");
    tracing::error!(target: "another", "nor will this");
    tracing::warn!(target: LOGGER, "careful");
    let process = Process::new(|| (), ()).with_name("child");
    assert_eq!(run_to_end(&process), Some(0));
}

// cpython: _test_multiprocessing.py::_TestLogging::test_enable_logging
#[test]
fn lines_read_as_in_python() {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args([
            "--ignored",
            "--exact",
            "logging::program_that_logs",
            "--nocapture",
        ])
        .stdout(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(
        lines,
        [
            "[INFO/MainProcess] doing good work job=7",
            "[WARNING/MainProcess] careful",
            "[INFO/child] child process calling self.run()",
            "[INFO/child] process exiting with exitcode 0",
        ],
        "{text}"
    );
}
