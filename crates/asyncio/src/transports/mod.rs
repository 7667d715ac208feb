//! `asyncio.Transport` and its kin: what a program writes to.

mod base;
mod buffer;
mod datagram;
mod extra;
mod flow;
mod pipe;
mod socket;
mod stream;

pub(crate) use base::{Abandon, Base, Open, Registration, invoke};
pub(crate) use buffer::Buffer;
pub use datagram::DatagramTransport;
pub(crate) use datagram::address;
pub use extra::ExtraInfo;
pub(crate) use flow::Flow;
pub(crate) use pipe::{Direction, PipeTransport};
pub(crate) use socket::{Opened, SocketTransport, is_not_ready};
pub use stream::Transport;
pub(crate) use stream::{SendfileMode, StreamTransport};
