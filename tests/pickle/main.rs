//! `hilos::pickle`, beside CPython's own pickles.

#![cfg(feature = "pickle")]

mod hostile;
mod oracle;
mod python;
mod recorded;
mod values;
