//! `Thread` and what goes with it, as CPython's `test_threading.py` and `test_threading_local.py`
//! specify it. What needs a whole program is in `threading_exit`.

mod bad_input;
mod context;
mod exceptions;
mod local;
mod misc;
mod repeating_timer;
mod returning;
mod support;
mod thread;
mod timer;
