//! `asyncio`'s networking, as CPython's own tests specify it: streams, servers, transports.

#![cfg(target_os = "linux")]

mod bad_input;
mod datagrams;
mod endpoints;
mod events;
mod load;
mod pipes;
mod readers;
mod selector_datagrams;
mod sendfile;
mod sock;
mod streams;
mod subprocess_protocols;
mod subprocesses;
mod support;
mod transports;
