//! Processes that do nothing, started by other crates; prints lines of group, nanoseconds, rival.

use std::time::Instant;

/// A sample is so many processes.
const TURNS: u32 = 50;
const SAMPLES: usize = 10;

fn main() {
    procspawn::init();
    let nanoseconds = median(|| procspawn::spawn((), |()| ()).join().unwrap());
    for group in ["process_forkserver", "process_spawn"] {
        println!("{group}\t{nanoseconds:.1}\tprocspawn");
    }
}

/// The nanoseconds that `work` takes.
fn median(work: impl Fn()) -> f64 {
    let mut samples = [0.0; SAMPLES].map(|_: f64| {
        let begin = Instant::now();
        (0..TURNS).for_each(|_| work());
        begin.elapsed().as_nanos() as f64 / f64::from(TURNS)
    });
    samples.sort_by(f64::total_cmp);
    (samples[SAMPLES / 2 - 1] + samples[SAMPLES / 2]) / 2.0
}
