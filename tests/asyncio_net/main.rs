//! `asyncio`'s networking, as CPython's own tests specify it: streams, servers, transports.

#![cfg(target_os = "linux")]

mod addresses;
mod bad_input;
mod base_events;
mod datagrams;
mod endpoints;
mod events;
mod happy_eyeballs;
mod load;
mod odd_moments;
mod pipes;
mod reader_protocols;
mod readers;
mod sample;
mod selector_datagrams;
mod sendfile;
mod server_with;
mod sock;
mod stream_protocol;
mod streams;
mod subprocess_protocols;
mod subprocesses;
mod support;
mod transports;
mod trsock;
