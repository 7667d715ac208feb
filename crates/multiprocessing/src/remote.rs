//! A process that does one call after the other, for `concurrent.futures`.
//!
//! Not part of this crate's interface: it may change at any time.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::connection::{Connection, Waitable, pipe, wait};
use crate::error::Error;
use crate::failure::Failure;
use crate::pool::{Function, PoolFunction};
use crate::process::Process;
use crate::reduction::{Message, TravellingFd, loads};
use crate::start_method::StartMethod;
use crate::sys::image::Descriptor;
use crate::sys::interrupt::leave_to_parent;
use crate::target::{Call, Plan, Target};

/// Calls of one function with each of a list of arguments, whose results are `R`s.
#[derive(Debug)]
pub struct Job<R> {
    descriptor: &'static Descriptor,
    message: Message,
    results: PhantomData<fn() -> R>,
}

/// A function that is known by its type, for callers that have its arguments encoded.
#[derive(Clone, Copy, Debug)]
pub struct Callee(&'static Descriptor);

impl Callee {
    /// The function's place in this program.
    pub fn typed<F, A>(_function: F) -> Self
    where
        F: PoolFunction<A, Output: Serialize>,
        A: Serialize + DeserializeOwned + 'static,
    {
        Self(Function::<A>::typed::<F>().descriptor)
    }
}

/// What became of a job: its results as they travel, or how it failed.
#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    Results(Bytes, Vec<TravellingFd>),
    Failed(Failure),
}

/// Why there are no results.
#[derive(Debug)]
pub enum CallError {
    /// A call failed, or its results could not travel.
    Failed(Failure),
    /// The worker has died.
    Lost,
}

/// Bytes that travel in one piece; those of a `Vec` would travel one by one.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(|bytes| Self(bytes.to_vec()))
    }
}

/// What a worker is sent.
#[derive(Serialize, Deserialize)]
enum Order {
    Call(usize, Bytes, Vec<TravellingFd>),
    Stop,
}

impl<R> Job<R> {
    fn new<A>(function: &Function<A>, list: &[A]) -> Result<Self, Error>
    where
        A: Serialize + DeserializeOwned + 'static,
    {
        Ok(Self {
            descriptor: function.descriptor,
            message: function.encode(list)?,
            results: PhantomData,
        })
    }

    /// Calls a function that is known by its type.
    pub fn typed<F, A>(_function: F, args: A) -> Result<Self, Error>
    where
        F: PoolFunction<A, Output = R>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize,
    {
        Self::new(&Function::typed::<F>(), &[args])
    }

    /// Calls a function that is known by its type and may fail.
    pub fn trying<F, A, E>(_function: F, args: A) -> Result<Self, Error>
    where
        F: PoolFunction<A, Output = Result<R, E>>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::new(&Function::typed_trying::<F, R, E>(), &[args])
    }

    /// Calls a function with each of a list of arguments.
    pub fn each<A>(function: fn(A) -> R, list: &[A]) -> Result<Self, Error>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        Self::new(&Function::pointer(function), list)
    }

    /// Calls a function that may fail with each of a list of arguments.
    pub fn trying_each<A, E>(function: fn(A) -> Result<R, E>, list: &[A]) -> Result<Self, Error>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self::new(&Function::pointer_trying(function), list)
    }

    fn order(&self) -> Result<Order, Error> {
        let copies = self
            .message
            .fds
            .iter()
            .map(|fd| fd.try_clone().map(TravellingFd));
        let fds = copies.collect::<Result<_, _>>()?;
        let bytes = Bytes(self.message.bytes.clone());
        Ok(Order::Call(self.descriptor.offset(), bytes, fds))
    }
}

/// A process that waits for jobs.
#[derive(Debug)]
pub struct Worker {
    process: Process,
    connection: Connection,
}

impl Job<()> {
    /// Calls what a process could be asked to do: nothing comes back but how it failed.
    pub fn target<F, A>(target: F, args: A) -> Result<Self, Error>
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        let (descriptor, message) = Call { target, args }.encode()?;
        Ok(Self {
            descriptor,
            message,
            results: PhantomData,
        })
    }
}

impl Worker {
    /// Starts a process, which calls `initializer` first.
    pub fn start(method: StartMethod, initializer: Option<&Job<()>>) -> Result<Self, Error> {
        let (ours, theirs) = pipe(true)?;
        let initializer = initializer.map(Job::order).transpose()?;
        // Whoever has work for it waits for that itself, before this process ends its daemons.
        let process = Process::new(work, (theirs, initializer))
            .with_start_method(method)
            .with_daemon(true);
        process.start()?;
        Ok(Self {
            process,
            connection: ours,
        })
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Waits until the initializer has run; says how it failed.
    pub fn ready(&self) -> Result<(), CallError> {
        self.reply().map(drop)
    }

    /// Has the process do a job, and waits for its results.
    pub fn call<R: DeserializeOwned>(&self, job: &Job<R>) -> Result<Vec<R>, CallError> {
        let order = job.order().map_err(pickling_error)?;
        match self.connection.send(&order) {
            Ok(()) => {}
            Err(error @ Error::Encoding { .. }) => return Err(pickling_error(error)),
            Err(_) => return Err(CallError::Lost),
        }
        let message = self.reply()?;
        let results = loads(&message.bytes, message.fds);
        results.map_err(|error| CallError::Failed(Failure::new("UnpicklingError", error)))
    }

    /// Has the process call a function with each of an encoded list of arguments, and waits for the
    /// encoded list of results.
    pub fn call_encoded(&self, callee: Callee, args: &[u8]) -> Result<Vec<u8>, CallError> {
        let order = Order::Call(callee.0.offset(), Bytes(args.to_vec()), Vec::new());
        self.connection.send(&order).map_err(|_| CallError::Lost)?;
        let Message { bytes, fds } = self.reply()?;
        match fds.is_empty() {
            true => Ok(bytes),
            false => Err(pickling_error(Error::Value(
                "locks, queues, files and memory of this machine cannot go to another one".into(),
            ))),
        }
    }

    /// Has the process end when it has nothing to do, and waits for that.
    pub fn stop(&self) {
        let _ = self.connection.send(&Order::Stop);
        self.connection.close();
        let _ = self.process.join(None);
    }

    fn reply(&self) -> Result<Message, CallError> {
        // A grandchild may keep the connection open: the process's own end counts.
        let either: [&dyn Waitable; 2] = [&self.connection, &self.process];
        let waited = wait(&either, None).and_then(|_| self.connection.poll(0));
        if !waited.is_ok_and(|readable| readable) {
            return Err(CallError::Lost);
        }
        match self.connection.recv() {
            Ok(Reply::Results(Bytes(bytes), fds)) => Ok(Message {
                bytes,
                fds: fds.into_iter().map(|fd| fd.0).collect(),
            }),
            Ok(Reply::Failed(failure)) => Err(CallError::Failed(failure)),
            Err(_) => Err(CallError::Lost),
        }
    }
}

fn pickling_error(error: Error) -> CallError {
    CallError::Failed(Failure::new("PicklingError", error))
}

/// What the process does.
fn work(connection: Connection, initializer: Option<Order>) -> Result<(), Error> {
    leave_to_parent()?;
    let ready = initializer.map_or(Ok(Message::default()), run);
    let failed = ready.is_err();
    answer(&connection, ready)?;
    while !failed && let Ok(order @ Order::Call(..)) = connection.recv() {
        answer(&connection, run(order))?;
    }
    Ok(())
}

fn run(order: Order) -> Result<Message, Failure> {
    let Order::Call(offset, Bytes(bytes), fds) = order else {
        return Ok(Message::default());
    };
    let descriptor = Descriptor::at_offset(offset);
    let missing = || Failure::new("RuntimeError", "the function belongs to another build");
    let fds = fds.into_iter().map(|fd| fd.0).collect();
    (descriptor.ok_or_else(missing)?.call)(Message { bytes, fds })
}

fn answer(connection: &Connection, result: Result<Message, Failure>) -> Result<(), Error> {
    let sent = connection.send(&match result {
        Ok(Message { bytes, fds }) => {
            Reply::Results(Bytes(bytes), fds.into_iter().map(TravellingFd).collect())
        }
        Err(failure) => Reply::Failed(failure),
    });
    match sent {
        // It has too many descriptors, which costs this job alone.
        Err(error @ Error::Encoding { .. }) => {
            connection.send(&Reply::Failed(Failure::new("PicklingError", error)))
        }
        sent => sent,
    }
}
