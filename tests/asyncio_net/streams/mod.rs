//! `open_connection`, `start_server` and `Server`.

mod clients;
mod server_endings;
mod servers;
