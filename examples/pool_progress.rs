//! A bar that shows how far a pool's map has got.
//!
//! Run: cargo run --release --example pool_progress

use std::error::Error;

use hilos::multiprocessing::Pool;
use indicatif::ProgressBar;

/// How many steps it takes from a number to 1: half of an even one, three times an odd one and 1.
fn collatz(start: u64) -> u32 {
    let (mut number, mut steps) = (start, 0);
    while number != 1 {
        number = if number % 2 == 0 {
            number / 2
        } else {
            3 * number + 1
        };
        steps += 1;
    }
    steps
}

fn main() -> Result<(), Box<dyn Error>> {
    let bar = ProgressBar::new(0);
    let show = bar.clone();
    let pool = Pool::new(2)?.with_progress(move |done, total| {
        show.set_length(total as u64);
        show.set_position(done as u64);
    });
    let steps = pool.with_chunksize(10_000).map(collatz, 1..=2_000_000)?;
    bar.finish();
    let (start, most) = (1..)
        .zip(steps)
        .max_by_key(|(_, steps)| *steps)
        .ok_or("none")?;
    println!("{start} takes the most steps: {most}");
    assert_eq!((start, most), (1_723_519, 556));
    assert_eq!((bar.position(), bar.length()), (2_000_000, Some(2_000_000)));
    Ok(())
}
