//! `hilos::pickle`, beside CPython's own pickles.

#![cfg(feature = "pickle")]

mod containers;
mod files;
mod hostile;
mod mutate;
mod oracle;
mod python;
mod recorded;
mod typed;
mod values;
