//! What a process can be asked to do.

use std::any::type_name;

use hilos_core::panic::{Unwound, catch};
use hilos_threading::{Exception, Outcome};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::failure::Failure;
use crate::reduction::{Message, dumps, loads};
use crate::sys::image::Descriptor;
use crate::sys::pointer::{from_offset, to_offset};
use crate::sys::zero_sized::conjure;

/// A function that another process can call with `Args`, a tuple: any `fn`, and any closure that
/// captures nothing.
///
/// It returns nothing or a `Result`, as a thread's function does.
pub trait Target<Args>: Copy + Send + Sync + 'static {
    /// Calls the function.
    fn call(self, args: Args) -> Option<Exception>;
}

macro_rules! target {
    ($($argument:ident)*) => {
        impl<F, R, $($argument),*> Target<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R + Copy + Send + Sync + 'static,
            R: Outcome,
        {
            #[allow(non_snake_case, reason = "the types' names serve as the variables'")]
            fn call(self, ($($argument,)*): ($($argument,)*)) -> Option<Exception> {
                self($($argument),*).into_exception()
            }
        }
    };
}
target!();
target!(A);
target!(A B);
target!(A B C);
target!(A B C D);
target!(A B C D E);
target!(A B C D E G);
target!(A B C D E G H);
target!(A B C D E G H I);

/// What a process will do, on either side of a fork.
pub(crate) trait Plan: Send {
    /// The function's name and its encoded arguments, for a process that is a new program.
    fn encode(&self) -> Result<(&'static Descriptor, Message), Error>;

    /// Does it here, in a process that is a copy.
    fn run(self: Box<Self>) -> Result<(), Failure>;
}

/// A function and its arguments.
pub(crate) struct Call<F, A> {
    pub(crate) target: F,
    pub(crate) args: A,
}

impl<F, A> Plan for Call<F, A>
where
    F: Target<A>,
    A: Serialize + DeserializeOwned + Send + 'static,
{
    fn encode(&self) -> Result<(&'static Descriptor, Message), Error> {
        let descriptor = const { &Descriptor::new(type_name::<F>, call::<F, A>) };
        Ok((descriptor, dumps(&self.args)?))
    }

    fn run(self: Box<Self>) -> Result<(), Failure> {
        let Self { target, args } = *self;
        watch(|| target.call(args))
    }
}

/// A function of a context that travels beside it.
pub(crate) struct WithContext<C, R> {
    pub(crate) context: C,
    pub(crate) function: fn(&C) -> R,
}

impl<C, R> Plan for WithContext<C, R>
where
    C: Serialize + DeserializeOwned + Send + 'static,
    R: Outcome + 'static,
{
    fn encode(&self) -> Result<(&'static Descriptor, Message), Error> {
        let descriptor =
            const { &Descriptor::new(type_name::<fn(&C) -> R>, call_with_context::<C, R>) };
        let offset = to_offset(self.function as usize);
        Ok((descriptor, dumps(&(offset, &self.context))?))
    }

    fn run(self: Box<Self>) -> Result<(), Failure> {
        watch(|| (self.function)(&self.context).into_exception())
    }
}

/// Calls a function in the new process with its context.
fn call_with_context<C, R>(message: Message) -> Result<Message, Failure>
where
    C: DeserializeOwned + 'static,
    R: Outcome + 'static,
{
    let (offset, context) = loads::<(u64, C)>(&message.bytes, message.fds)
        .map_err(|error| Failure::new("UnpicklingError", error))?;
    // SAFETY: the descriptor of these very types came from a process of this build, with an offset
    // that `WithContext::encode` has made.
    let function = unsafe { from_offset::<fn(&C) -> R>(offset) };
    let function =
        function.ok_or_else(|| Failure::new("RuntimeError", "not a function's place"))?;
    watch(|| function(&context).into_exception()).map(|()| Message::default())
}

/// Any function that is called once, for a process that is a copy.
pub(crate) struct Once<F>(pub(crate) F);

impl<F: FnOnce() -> R + Send, R: Outcome> Plan for Once<F> {
    fn encode(&self) -> Result<(&'static Descriptor, Message), Error> {
        Err(Error::Value(
            "only a forked process can call this function".into(),
        ))
    }

    fn run(self: Box<Self>) -> Result<(), Failure> {
        watch(|| (self.0)().into_exception())
    }
}

/// Calls `F` in the new process, as its descriptor asks.
fn call<F: Target<A>, A: DeserializeOwned>(message: Message) -> Result<Message, Failure> {
    let args = loads::<A>(&message.bytes, message.fds)
        .map_err(|error| Failure::new("UnpicklingError", error))?;
    // SAFETY: the parent has `F`'s descriptor from a `Call` that holds an `F`.
    let target = unsafe { conjure::<F>() };
    watch(|| target.call(args)).map(|()| Message::default())
}

fn watch(f: impl FnOnce() -> Option<Exception>) -> Result<(), Failure> {
    match catch(f) {
        Ok(None) | Err(Unwound::Exit) => Ok(()),
        Ok(Some(exception)) => Err(exception.into()),
        Err(Unwound::Panic(panic)) => Err(Exception::from(panic).into()),
    }
}
