//! The Python twins of the examples, in `examples/python`, and their times beside ours.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};

/// Runs a twin, shows what it prints, and returns the times that it says it took, in seconds.
///
/// The interpreter is `HILOS_PYTHON` or `python3`; without one it says so and returns `None`.
pub(crate) fn run(script: &str, args: &[&str]) -> io::Result<Option<Vec<f64>>> {
    let Some(python) = find() else {
        println!("SKIPPED {script}: no Python found; HILOS_PYTHON can name one");
        return Ok(None);
    };
    let mut twin = Command::new(python)
        .arg(format!(
            "{}/examples/python/{script}",
            env!("CARGO_MANIFEST_DIR")
        ))
        .args(args)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut times = Vec::new();
    for line in BufReader::new(twin.stdout.take().expect("it is piped")).lines() {
        let line = line?;
        println!("Python: {line}");
        times.extend(seconds(&line));
    }
    let status = twin.wait()?;
    assert!(status.success(), "{script}: {status}");
    Ok(Some(times))
}

fn find() -> Option<String> {
    let works = |python: &String| {
        let status = Command::new(python).args(["-c", ""]).status();
        status.is_ok_and(|status| status.success())
    };
    let candidates = [env::var("HILOS_PYTHON").ok(), Some("python3".to_owned())];
    candidates.into_iter().flatten().find(works)
}

/// The time in a line such as `Completado en 1.2345 segundos.`
fn seconds(line: &str) -> Option<f64> {
    let (rest, unit) = line.rsplit_once(' ')?;
    let (_, number) = rest.rsplit_once(' ')?;
    let is_time = unit == "segundos." || unit == "seconds.";
    is_time.then(|| number.parse().ok()).flatten()
}

/// Prints how long each way took here and in the twin, and how much faster than the first it was.
pub(crate) fn compare(ways: &[&str], here: &[f64], twin: Option<&[f64]>) {
    println!(" hilos: {}", side_by_side(ways, here));
    if let Some(twin) = twin {
        assert_eq!(twin.len(), ways.len(), "the twin tells its times");
        println!("Python: {}", side_by_side(ways, twin));
    }
}

fn side_by_side(ways: &[&str], times: &[f64]) -> String {
    let mut line = format!("{} {:.2} s", ways[0], times[0]);
    for (way, seconds) in ways.iter().zip(times).skip(1) {
        let factor = times[0] / seconds;
        line += &format!(", {way} {seconds:.2} s: {factor:.2} times as fast");
    }
    line
}
