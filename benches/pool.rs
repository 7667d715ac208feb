//! `multiprocessing.Pool` of two workers; a turn is one call of `map`.

#![cfg(target_os = "linux")]

#[path = "common/settings.rs"]
mod settings;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hilos::multiprocessing::Pool;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use settings::row;

criterion_group!(pools, map_abs, map_heavy);
criterion_main!(pools);

/// Next to no work: what it takes to have it done elsewhere.
fn map_abs(criterion: &mut Criterion) {
    let items = || black_box(-10_000..10_000_i64);
    for (name, chunksize) in [("chunksize_1", Some(1)), ("default", None)] {
        let mut row = row(criterion, &format!("pool_map_abs_20000_{name}"));
        row.bench_function("hilos", |bencher| {
            let mut pool = Pool::new(2).unwrap();
            if let Some(chunksize) = chunksize {
                pool = pool.with_chunksize(chunksize);
            }
            bencher.iter(|| pool.map(i64::abs, items()).unwrap());
        });
    }
}

/// Work for the processor, 400 times about 100 µs.
fn map_heavy(criterion: &mut Criterion) {
    let mut row = row(criterion, "pool_map_heavy_400");
    row.bench_function("hilos", |bencher| {
        let pool = Pool::new(2).unwrap();
        bencher.iter(|| pool.map(heavy, black_box(0..400)).unwrap());
    });
    row.bench_function("rayon", |bencher| {
        let pool = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let map = || -> Vec<u64> { black_box(0..400).into_par_iter().map(heavy).collect() };
        bencher.iter(|| pool.install(map));
    });
}

/// Steps of a generator of pseudo-random numbers, each of which needs the one before.
fn heavy(seed: u64) -> u64 {
    let step = |state: u64, _| state.wrapping_mul(6364136223846793005).rotate_left(17);
    (0..60_000).fold(seed | 1, step)
}
