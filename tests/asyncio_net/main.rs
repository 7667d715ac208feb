//! `asyncio`'s networking, as CPython's own tests specify it: streams, servers, transports.

#![cfg(target_os = "linux")]

mod datagrams;
mod endpoints;
mod load;
mod pipes;
mod readers;
mod sendfile;
mod sock;
mod streams;
mod subprocesses;
mod support;
mod transports;
