//! `asyncio`, as CPython's own tests specify it, and in CPython's order.

mod order;
