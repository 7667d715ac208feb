//! `hilos::pickle`, beside CPython's own pickles.

#![cfg(feature = "pickle")]

mod python;
mod recorded;
