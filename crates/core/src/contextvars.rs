//! Python's context variables: values that a thread, a task or a call has for itself.
//!
//! | Python | here |
//! |---|---|
//! | `VAR = ContextVar("var", default=0)` | `static VAR: ContextVar<i32> = `[`ContextVar::new("var")`](ContextVar::new)`.with_default(0);` |
//! | `VAR.get()`, `VAR.get(7)` | [`VAR.get()?`](ContextVar::get), [`VAR.get_or(7)`](ContextVar::get_or) |
//! | `token = VAR.set(1)`, `VAR.reset(token)` | [`VAR.set(1)`](ContextVar::set), [`VAR.reset(&token)?`](ContextVar::reset) |
//! | `with VAR.set(1):` | [`VAR.set(1).with(\|\| …)`](Token::with), `let _restored = `[`VAR.set(1).enter();`](Token::enter) |
//! | `Context()`, `copy_context()` | [`Context::new()`](Context::new), [`copy_context()`] |
//! | `ctx.run(f, 1)` | [`ctx.run(\|\| f(1))?`](Context::run) |
//! | `ctx[VAR]`, `ctx.get(VAR, 7)` | [`ctx.get(&VAR)`](Context::get)`.unwrap()`, `.unwrap_or(7)` |
//! | `VAR in ctx`, `len(ctx)`, `for var in ctx` | [`ctx.contains(&VAR)`](Context::contains), [`ctx.len()`](Context::len), `for var in &ctx` |
//!
//! Every thread starts in an empty context of its own. While a thread's locals are being destroyed
//! it is in no context: variables have their defaults, and what is set is not kept.
//!
//! ```
//! use hilos_core::contextvars::{ContextVar, copy_context};
//!
//! static USER: ContextVar<&str> = ContextVar::new("user").with_default("nobody");
//!
//! USER.set("ana");
//! let context = copy_context();
//! context.run(|| USER.set("eva"))?;
//! assert_eq!(USER.get()?, "ana");
//! assert_eq!(context.get(&USER), Some("eva"));
//! # Ok::<(), hilos_core::contextvars::Error>(())
//! ```
//!
//! Mirrors [`contextvars`](https://docs.python.org/3.14/library/contextvars.html).

mod context;
mod context_var;
mod current;
mod error;
mod key;
pub(crate) mod lazy;
mod token;
mod vars;

pub use context::{Context, Entered, Value, copy_context};
pub use context_var::ContextVar;
pub use error::{Error, LookupError, RuntimeError, ValueError};
pub use key::Key;
pub use token::{Token, TokenGuard};
