//! A differential fuzzer of the event loop's order: random programs run here and on CPython, both
//! on virtual time, and every step that they log has to be the same.
//!
//! `HILOS_FUZZ_SEEDS=2000..10000` runs other programs than the usual ones. What a seed means
//! depends on the version of Python, because programs use what it has.

#![cfg(feature = "asyncio")]

mod act;
mod generate;
mod program;
mod run;
mod shrink;
mod sides;
mod slot;
mod world;

use std::ops::Range;

use program::Program;
use sides::{Side, Trace};

/// The programs that always run.
const SEEDS: Range<u64> = 0..2000;

/// How many programs are on their way at a time.
const BATCH: u64 = 500;

/// How many programs that differ are shown.
const SHOWN: usize = 3;

#[test]
fn random_programs_run_as_on_cpython() {
    let Some((theirs, minor)) = sides::cpython() else {
        return;
    };
    let sides = Sides {
        ours: sides::ours(),
        theirs,
        minor,
    };
    let seeds = seeds();
    let mut different = Vec::new();
    let mut first = seeds.start;
    while first < seeds.end && different.len() < SHOWN {
        let batch = first..seeds.end.min(first + BATCH);
        different.extend(sides.differing(batch.clone()));
        first = batch.end;
    }
    let count = first - seeds.start;
    println!(
        "{count} programs, as on CPython 3.{minor}: {}",
        different.is_empty()
    );
    for seed in different.iter().take(SHOWN) {
        sides.show(*seed);
    }
    assert!(different.is_empty(), "seeds that differ: {different:?}");
}

/// The seeds in `HILOS_FUZZ_SEEDS`, or the usual ones.
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("HILOS_FUZZ_SEEDS") else {
        return SEEDS;
    };
    let range = text
        .split_once("..")
        .and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.unwrap_or_else(|| panic!("HILOS_FUZZ_SEEDS is FROM..TO, not {text}"))
}

struct Sides {
    ours: Side<Program>,
    theirs: Side<String>,
    /// The version of CPython: 3.`minor`.
    minor: u32,
}

impl Sides {
    fn ask(&self, program: Program) {
        self.theirs.ask(program.to_string());
        self.ours.ask(program);
    }

    fn answers(&self) -> (Trace, Trace) {
        let (mut ours, mut theirs) = (self.ours.answer(), self.theirs.answer());
        // When a task is destroyed, and before 3.14 an exception behind a cancelled shield, it is
        // the collector who decides what is told.
        let unclear = |line: &String| {
            line.contains("was destroyed")
                || (self.minor < 14 && line.contains("in shielded future"))
        };
        if ours.iter().chain(&theirs).any(unclear) {
            for trace in [&mut ours, &mut theirs] {
                trace.retain(|line| line.starts_with(|c: char| c.is_ascii_digit()));
            }
        }
        (ours, theirs)
    }

    fn differing(&self, seeds: Range<u64>) -> Vec<u64> {
        for seed in seeds.clone() {
            self.ask(generate::program(seed, self.minor));
        }
        let differs = |_: &u64| {
            let (ours, theirs) = self.answers();
            ours != theirs
        };
        seeds.filter(differs).collect()
    }

    /// Prints the smallest part of a program that differs, and how.
    fn show(&self, seed: u64) {
        let program = shrink::shrink(generate::program(seed, self.minor), |program| {
            self.ask(program.clone());
            let (ours, theirs) = self.answers();
            ours != theirs
        });
        self.ask(program.clone());
        let (ours, theirs) = self.answers();
        self.theirs.ask(format!("?{program}"));
        println!("\nseed {seed}: {program}\n");
        println!("{}\n", self.theirs.answer().join("\n"));
        println!("{:40} | CPython 3.{}", "hilos", self.minor);
        for line in 0..ours.len().max(theirs.len()) {
            let [ours, theirs] =
                [&ours, &theirs].map(|trace| trace.get(line).map_or("", |line| line));
            let mark = if ours == theirs { ' ' } else { '!' };
            println!("{ours:40} |{mark} {theirs}");
        }
    }
}
