//! A file over a transport: by the system, or else in pieces.

use super::stand_in::StandIn;
use super::{Part, is_not_available};
use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::transports::{SendfileMode, Transport};

/// How much is read at once to be written to a transport.
const BLOCK: u64 = 16 * 1024;

pub(super) async fn send(
    event_loop: &EventLoop,
    transport: &Transport,
    part: &Part,
    fallback: bool,
) -> Result<u64> {
    if transport.is_closing() {
        return Err(RuntimeError::new("Transport is closing").into());
    }
    match transport.0.clone().sendfile_mode() {
        SendfileMode::Unsupported => {
            let message = format!("sendfile is not supported for transport {transport}");
            return Err(RuntimeError::new(message).into());
        }
        SendfileMode::TryNative(socket) => match socket.sendfile(part).await {
            Err(exception) if fallback && is_not_available(&exception) => {}
            result => return result,
        },
        SendfileMode::Fallback if !fallback => {
            let message = format!(
                "fallback is disabled and native sendfile is not supported for transport \
                 {transport}"
            );
            return Err(RuntimeError::new(message).into());
        }
        SendfileMode::Fallback => {}
    }
    write_pieces(event_loop, transport, part).await
}

async fn write_pieces(event_loop: &EventLoop, transport: &Transport, part: &Part) -> Result<u64> {
    part.seek()?;
    let standing_in = StandIn::begin(event_loop, transport);
    loop {
        let data = part.read(event_loop, BLOCK).await?;
        if data.is_empty() {
            return Ok(part.sent());
        }
        standing_in.drain().await?;
        transport.write(&data)?;
        part.advance(data.len());
    }
}
