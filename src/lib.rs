//! Python's concurrency standard library, in Rust.
