//! What a worker can be asked to do.

use std::any::type_name;

use hilos_core::panic::{Unwound, catch};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::reduction::{Message, dumps, loads};
use crate::sys::image::Descriptor;
use crate::sys::pointer::{from_offset, to_offset};
use crate::sys::zero_sized::conjure;

/// A function that a pool's workers can call with `Args`, a tuple: any `fn`, and any closure that
/// captures nothing.
pub trait PoolFunction<Args>: Copy + Send + Sync + 'static {
    /// What it returns.
    type Output;

    /// Calls the function.
    fn call(self, args: Args) -> Self::Output;
}

macro_rules! pool_function {
    ($($argument:ident)*) => {
        impl<F, R, $($argument),*> PoolFunction<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R + Copy + Send + Sync + 'static,
        {
            type Output = R;

            #[allow(non_snake_case, reason = "the types' names serve as the variables'")]
            fn call(self, ($($argument,)*): ($($argument,)*)) -> R {
                self($($argument),*)
            }
        }
    };
}
pool_function!();
pool_function!(A);
pool_function!(A B);
pool_function!(A B C);
pool_function!(A B C D);
pool_function!(A B C D E);
pool_function!(A B C D E G);

/// The descriptor of `F`, applied to each of a list of arguments.
pub(super) fn descriptor<F, A>() -> &'static Descriptor
where
    F: PoolFunction<A, Output: Serialize>,
    A: DeserializeOwned,
{
    const { &Descriptor::new(type_name::<F>, call::<F, A>) }
}

/// Calls `F` in the worker with each of the encoded arguments.
fn call<F, A>(message: Message) -> Result<Message, Failure>
where
    F: PoolFunction<A, Output: Serialize>,
    A: DeserializeOwned,
{
    let list = loads::<Vec<A>>(&message.bytes, message.fds)
        .map_err(|error| Failure::new("UnpicklingError", error))?;
    // SAFETY: the pool's process has made the descriptor from an `F` that it was given.
    let function = unsafe { conjure::<F>() };
    run(|args| function.call(args), list)
}

/// The descriptor of functions of this type, which travel with their arguments.
pub(super) fn pointer_descriptor<A, R>() -> &'static Descriptor
where
    A: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    const { &Descriptor::new(type_name::<fn(A) -> R>, call_pointer::<A, R>) }
}

/// Encodes a function and the list of its arguments.
pub(super) fn with_pointer<A: Serialize, R>(
    function: fn(A) -> R,
    list: &[A],
) -> Result<Message, crate::Error> {
    dumps(&(to_offset(function), list))
}

/// Calls a function in the worker with each of the encoded arguments.
fn call_pointer<A: DeserializeOwned, R: Serialize>(message: Message) -> Result<Message, Failure> {
    let (offset, list) = loads::<(u64, Vec<A>)>(&message.bytes, message.fds)
        .map_err(|error| Failure::new("UnpicklingError", error))?;
    // SAFETY: the descriptor of these very types came from a process of this build, with an offset
    // that `with_pointer` has written.
    let function = unsafe { from_offset::<A, R>(offset) };
    let function =
        function.ok_or_else(|| Failure::new("RuntimeError", "not a function's place"))?;
    run(function, list)
}

/// Calls a function with each of the arguments, and encodes the results.
fn run<A, R: Serialize>(function: impl Fn(A) -> R, list: Vec<A>) -> Result<Message, Failure> {
    let results = list.into_iter().map(|args| match catch(|| function(args)) {
        Ok(result) => Ok(result),
        Err(Unwound::Panic(panic)) => Err(hilos_threading::Exception::from(panic).into()),
        Err(Unwound::Exit) => Err(Failure::new(
            "SystemExit",
            "the job exited without a result",
        )),
    });
    let results: Vec<R> = results.collect::<Result<_, Failure>>()?;
    dumps(&results).map_err(|error| Failure::new("MaybeEncodingError", error))
}
