//! A differential fuzzer of the event loop's order: random programs run here and on CPython, both
//! on virtual time, and every step that they log has to be the same.
//!
//! `HILOS_FUZZ_SEEDS=2000..10000` runs other programs than the usual ones. What a seed means
//! depends on the version of Python, because programs use what it has.

mod act;
mod compare;
mod generate;
mod operations;
mod outline;
mod program;
mod random;
mod run;
mod shrink;
mod sides;
mod slot;
mod world;

use std::ops::Range;

/// The programs that always run.
const SEEDS: Range<u64> = 0..2000;

/// How many programs are on their way at a time.
const BATCH: u64 = 500;

/// How many programs that differ are shown.
const SHOWN: usize = 3;

#[test]
fn random_programs_run_as_on_cpython() {
    let Some(sides) = compare::Sides::start() else {
        return;
    };
    let seeds = seeds();
    let mut different = Vec::new();
    let mut first = seeds.start;
    while first < seeds.end && different.len() < SHOWN {
        let batch = first..seeds.end.min(first + BATCH);
        first = batch.end;
        different.extend(sides.differing(batch));
    }
    for seed in different.iter().take(SHOWN) {
        sides.show(*seed);
    }
    let count = first - seeds.start;
    println!("{count} programs on CPython 3.{} and here", sides.minor);
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
