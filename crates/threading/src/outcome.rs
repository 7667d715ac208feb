//! What a thread's function may return.

use std::any::type_name;
use std::error::Error;

use crate::excepthook::Exception;

/// What a thread's function may return: nothing, or a `Result` whose error goes to
/// [`excepthook`](fn@crate::excepthook).
///
/// Python drops what a target returns. To keep it, use
/// [`Thread::returning`](crate::Thread::returning).
#[diagnostic::on_unimplemented(
    message = "a thread's function returns `()` or a `Result`, not `{Self}`",
    note = "end it with `;` to drop the value, or keep it with `Thread::returning`"
)]
pub trait Outcome {
    /// The error, if it is one.
    fn into_exception(self) -> Option<Exception>;
}

impl Outcome for () {
    fn into_exception(self) -> Option<Exception> {
        None
    }
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Outcome for Result<T, E> {
    fn into_exception(self) -> Option<Exception> {
        self.err()
            .map(|error| Exception::new(short_type_name::<E>(), error))
    }
}

/// The type `!` of a function that never returns, which has no name in stable Rust.
impl Outcome for <fn() -> ! as Function>::Output {
    fn into_exception(self) -> Option<Exception> {
        self
    }
}

#[doc(hidden)]
#[expect(unnameable_types, reason = "only a way to say `!`")]
pub trait Function {
    type Output;
}

impl<T> Function for fn() -> T {
    type Output = T;
}

/// The last part of a type's path, without its parameters: `ParseIntError`.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    let path = type_name::<T>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}

/// The name of a function by its type, as Python's `__name__` has it: `<lambda>` for a closure.
pub(crate) fn function_name<F: ?Sized>() -> &'static str {
    let path = type_name::<F>();
    match path.ends_with("{{closure}}") {
        true => "<lambda>",
        false => short_type_name::<F>(),
    }
}
