//! `multiprocessing.cpu_count`.

/// How many processors this process may use; at least 1.
///
/// # Differences from Python
/// Python counts the machine's processors; this counts those that the process is allowed, as
/// `os.process_cpu_count` does, which is what a pool should have workers for.
pub fn cpu_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
