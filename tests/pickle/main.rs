//! `hilos::pickle`, beside CPython's own pickles.

#![cfg(feature = "pickle")]

mod hostile;
mod python;
mod recorded;
