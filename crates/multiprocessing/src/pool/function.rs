//! What a worker can be asked to do.

use std::any::type_name;
use std::sync::Arc;

use hilos_core::panic::{Unwound, catch};
use hilos_threading::Outcome;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::{Context, recall};
use super::error::JobError;
use super::request::Request;
use crate::error::Error;
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

/// What a worker of another process is told to do with a list of arguments.
pub(crate) struct Function<A> {
    pub(crate) descriptor: &'static Descriptor,
    encode: Encode<A>,
    context: Option<Arc<Context>>,
}

type Encode<A> = Box<dyn Fn(&[A]) -> Result<Message, Error> + Send>;

impl<A: Serialize + DeserializeOwned + 'static> Function<A> {
    /// A function that is known by its type, for tuples of arguments.
    pub(crate) fn typed<F>() -> Self
    where
        F: PoolFunction<A, Output: Serialize>,
    {
        Self {
            descriptor: descriptor::<F, A>(),
            encode: Box::new(dumps),
            context: None,
        }
    }

    /// A function that travels with its arguments.
    pub(crate) fn pointer<R: Serialize + 'static>(function: fn(A) -> R) -> Self {
        let offset = to_offset(function as usize);
        Self {
            descriptor: const { &Descriptor::new(type_name::<fn(A) -> R>, call_pointer::<A, R>) },
            encode: Box::new(move |list| dumps(&(offset, list))),
            context: None,
        }
    }

    /// As [`typed`](Self::typed), of a function whose errors count as failures.
    pub(crate) fn typed_trying<F, R, E>() -> Self
    where
        F: PoolFunction<A, Output = Result<R, E>>,
        R: Serialize,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self {
            descriptor: const { &Descriptor::new(type_name::<F>, call_trying::<F, A, R, E>) },
            encode: Box::new(dumps),
            context: None,
        }
    }

    /// As [`pointer`](Self::pointer), of a function whose errors count as failures.
    pub(crate) fn pointer_trying<R, E>(function: fn(A) -> Result<R, E>) -> Self
    where
        R: Serialize + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let offset = to_offset(function as usize);
        Self {
            descriptor: const {
                let name = type_name::<fn(A) -> Result<R, E>>;
                &Descriptor::new(name, call_pointer_trying::<A, R, E>)
            },
            encode: Box::new(move |list| dumps(&(offset, list))),
            context: None,
        }
    }

    /// A list of arguments as it travels.
    pub(crate) fn encode(&self, list: &[A]) -> Result<Message, Error> {
        (self.encode)(list)
    }

    /// A function that travels with its arguments, and shares a value with its other calls.
    pub(super) fn with_context<C, R>(context: &C, function: fn(&C, A) -> R) -> Result<Self, Error>
    where
        C: Serialize + DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        let descriptor =
            const { &Descriptor::new(type_name::<fn(&C, A) -> R>, call_with_context::<C, A, R>) };
        let (context, offset) = (Context::new(context)?, to_offset(function as usize));
        let number = context.number;
        Ok(Self {
            descriptor,
            encode: Box::new(move |list| dumps(&(number, offset, list))),
            context: Some(context),
        })
    }

    /// What a worker is sent.
    pub(super) fn request(&self, list: &[A]) -> Result<Request, JobError> {
        Ok(Request {
            function: self.descriptor,
            args: (self.encode)(list)?,
            context: self.context.clone(),
        })
    }
}

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
    let list = open::<Vec<A>>(message)?;
    // SAFETY: the pool's process has made the descriptor from an `F` that it was given.
    let function = unsafe { conjure::<F>() };
    close(run(|args| function.call(args), list))
}

/// As [`call`], of a function whose errors count as failures.
fn call_trying<F, A, R, E>(message: Message) -> Result<Message, Failure>
where
    F: PoolFunction<A, Output = Result<R, E>>,
    A: DeserializeOwned,
    R: Serialize,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let list = open::<Vec<A>>(message)?;
    // SAFETY: the caller's process has made the descriptor from an `F` that it was given.
    let function = unsafe { conjure::<F>() };
    close(run_trying(|args| function.call(args), list))
}

/// As [`call_pointer`], of a function whose errors count as failures.
fn call_pointer_trying<A, R, E>(message: Message) -> Result<Message, Failure>
where
    A: DeserializeOwned,
    R: Serialize,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (offset, list) = open::<(u64, Vec<A>)>(message)?;
    // SAFETY: the descriptor of these very types came from a process of this build, with an offset
    // that `Function::pointer_trying` has made.
    let function = unsafe { from_offset::<fn(A) -> Result<R, E>>(offset) };
    close(run_trying(function.ok_or_else(misplaced)?, list))
}

/// Calls a function in the worker with each of the encoded arguments.
fn call_pointer<A: DeserializeOwned, R: Serialize>(message: Message) -> Result<Message, Failure> {
    let (offset, list) = open::<(u64, Vec<A>)>(message)?;
    // SAFETY: the descriptor of these very types came from a process of this build, with an offset
    // that `Function::pointer` has made.
    let function = unsafe { from_offset::<fn(A) -> R>(offset) };
    close(run(function.ok_or_else(misplaced)?, list))
}

/// Calls a function in the worker with the context and each of the encoded arguments.
fn call_with_context<C, A, R>(message: Message) -> Result<Message, Failure>
where
    C: DeserializeOwned + 'static,
    A: DeserializeOwned,
    R: Serialize,
{
    let (number, offset, list) = open::<(u64, u64, Vec<A>)>(message)?;
    let context = recall::<C>(number)?;
    // SAFETY: the descriptor of these very types came from a process of this build, with an offset
    // that `Function::with_context` has made.
    let function = unsafe { from_offset::<fn(&C, A) -> R>(offset) };
    let function = function.ok_or_else(misplaced)?;
    close(run(|args| function(&context, args), list))
}

fn open<T: DeserializeOwned>(message: Message) -> Result<T, Failure> {
    let Message { bytes, fds } = message;
    loads(&bytes, fds).map_err(|error| Failure::new("UnpicklingError", error))
}

fn close<R: Serialize>(results: Result<Vec<R>, Failure>) -> Result<Message, Failure> {
    dumps(&results?).map_err(|error| Failure::new("MaybeEncodingError", error))
}

fn misplaced() -> Failure {
    Failure::new("RuntimeError", "not a function's place")
}

/// Calls a function with each of the arguments, up to the first that fails.
pub(super) fn run<A, R>(function: impl Fn(A) -> R, list: Vec<A>) -> Result<Vec<R>, Failure> {
    let results = list.into_iter().map(|args| match catch(|| function(args)) {
        Ok(result) => Ok(result),
        Err(Unwound::Panic(panic)) => Err(hilos_threading::Exception::from(panic).into()),
        Err(Unwound::Exit) => Err(Failure::new(
            "SystemExit",
            "the job exited without a result",
        )),
    });
    results.collect()
}

/// As [`run`], of a function whose errors count as failures.
fn run_trying<A, R, E>(
    function: impl Fn(A) -> Result<R, E>,
    list: Vec<A>,
) -> Result<Vec<R>, Failure>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let one = |args| match run(&function, vec![args])?.pop() {
        Some(Ok(result)) => Ok(result),
        Some(Err(error)) => {
            let exception = Err::<(), E>(error).into_exception();
            Err(exception.expect("an error is an exception").into())
        }
        None => Err(Failure::new("RuntimeError", "there is no result")),
    };
    list.into_iter().map(one).collect()
}
