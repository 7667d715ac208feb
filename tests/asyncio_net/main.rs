//! `asyncio`'s networking, as CPython's own tests specify it: streams, servers, transports.

#![cfg(target_os = "linux")]

mod datagrams;
mod endpoints;
mod load;
mod pipes;
mod readers;
mod sendfile;
mod server_with;
mod sock;
mod stream_protocol;
mod streams;
mod subprocesses;
mod support;
mod transports;
mod trsock;
