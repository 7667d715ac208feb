//! `concurrent.futures.process`.

mod chunks;
mod executor;
mod remote;
mod seat;

pub use chunks::ChunkedMap;
pub use executor::ProcessPoolExecutor;
pub use remote::{RemoteError, RemoteTraceback};
