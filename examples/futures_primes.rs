//! Which numbers are prime, found out by processes: the example of Python's `ProcessPoolExecutor`.
//!
//! Run: cargo run --release --example futures_primes

use hilos::concurrent::futures::{FutureError, ProcessPoolExecutor};

/// As in Python's documentation: all but the last are prime.
const NUMBERS: [u64; 6] = [
    112_272_535_095_293,
    112_582_705_942_171,
    112_272_535_095_293,
    115_280_095_190_773,
    115_797_848_077_099,
    1_099_726_899_285_419,
];

fn is_prime(n: u64) -> bool {
    if n < 4 {
        return n >= 2;
    }
    !n.is_multiple_of(2)
        && (3..=n.isqrt())
            .step_by(2)
            .all(|divisor| !n.is_multiple_of(divisor))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let found = ProcessPoolExecutor::default().with(|executor| {
        let mut found = Vec::new();
        for (number, prime) in NUMBERS.iter().zip(executor.map(is_prime, NUMBERS)?) {
            let prime = prime?;
            println!("{number} is prime: {prime}");
            found.push(prime);
        }
        Ok::<_, FutureError>(found)
    })?;
    assert_eq!(found, [true, true, true, true, true, false]);
    Ok(())
}
