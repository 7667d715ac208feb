//! `Pool` and what its methods return.

use std::sync::{Arc, OnceLock};

use hilos_core::time::Timeout;
use hilos_pickle::{Dict, Object};

use super::callbacks::Callbacks;
use super::iterator::PythonIterator;
use super::patience;
use super::values::{iterate, number};
use crate::managers::args::Args;
use crate::managers::callable::Callable;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};
use crate::pool::{JobError, MapResult, ThreadPool};

/// Threads of the server's that call functions which clients name.
pub(crate) struct Workers(ThreadPool);

pub(super) type Outcome = Result<Object, Exception>;

/// What Python's `Pool(processes=None, initializer=None, initargs=())` gives.
pub(crate) fn make(args: &Args<'_>) -> Result<Workers, Exception> {
    let names = [
        "processes",
        "initializer",
        "initargs",
        "maxtasksperchild",
        "context",
    ];
    let [processes, initializer, initargs, maxtasks, _] = args.bind("Pool.__init__", names, 0)?;
    let mut builder = ThreadPool::builder();
    if let Some(processes) = given(processes) {
        builder = builder.processes(usize::try_from(number(&processes)?).unwrap_or(0));
    }
    check_maxtasks(given(maxtasks))?;
    if let Some(initializer) = given(initializer) {
        let initializer = callable(args, &initializer)?;
        let initargs = initargs.map_or(Ok(Vec::new()), |initargs| iterate(args, &initargs))?;
        builder = builder.initializer(move || {
            let called = initializer.call(initargs.iter().cloned(), Dict::new());
            called.map(drop)
        });
    }
    let pool = builder
        .build()
        .map_err(|error| Exception::value_error(error.to_string()))?;
    Ok(Workers(pool))
}

/// A function to begin with, for whose absence Python has words of its own.
fn callable(args: &Args<'_>, initializer: &Object) -> Result<Callable, Exception> {
    let is_value = !matches!(initializer, Object::Global(_) | Object::Instance(_));
    match is_value || args.referent(initializer).is_some() {
        true => Err(Exception::type_error("initializer must be a callable")),
        false => args.callable(initializer),
    }
}

/// A thread need not end, however many jobs it has done; but Python looks at the number.
fn check_maxtasks(maxtasks: Option<Object>) -> Result<(), Exception> {
    match maxtasks {
        None | Some(Object::Int(1..) | Object::Bool(true)) => Ok(()),
        Some(Object::BigInt(number)) if !number.is_negative() => Ok(()),
        _ => {
            let text = "maxtasksperchild must be a positive int or None";
            Err(Exception::value_error(text))
        }
    }
}

/// An argument that is not `None`.
fn given(argument: Option<Object>) -> Option<Object> {
    argument.filter(|argument| !matches!(argument, Object::None))
}

impl Referent for Workers {
    fn type_name(&self) -> &str {
        "multiprocessing.pool.Pool"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &[
            "apply",
            "apply_async",
            "close",
            "imap",
            "imap_unordered",
            "join",
            "map",
            "map_async",
            "starmap",
            "starmap_async",
            "terminate",
        ]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "apply" => self
                .apply(method, args)?
                .get(Timeout::NEVER)
                .map(Answer::from),
            "apply_async" => Ok(self.apply(method, args)?.into()),
            "map" | "starmap" => self
                .map(method, args)?
                .get(Timeout::NEVER)
                .map(Answer::from),
            "map_async" | "starmap_async" => Ok(self.map(method, args)?.into()),
            "imap" | "imap_unordered" => Ok(self.imap(method, args)?.into()),
            _ => {
                args.bind(&format!("Pool.{method}"), [], 0)?;
                match method {
                    "close" => self.0.close(),
                    "terminate" => self.0.terminate(),
                    _ => {
                        let joined = self.0.join(None);
                        joined.map_err(|error| Exception::value_error(error.to_string()))?;
                    }
                }
                Ok(().into())
            }
        }
    }

    fn repr(&self) -> String {
        self.0.to_string().replacen("ThreadPool", "Pool", 1)
    }
}

impl Workers {
    fn apply(&self, method: &str, args: &Args<'_>) -> Result<Job, Exception> {
        let ([function, positional, keywords], callbacks) =
            self.bind(method, args, ["func", "args", "kwds"], 1)?;
        let function = args.callable(&function.into())?;
        let positional = positional.map_or(Ok(Vec::new()), |args_| iterate(args, &args_))?;
        let keywords = given(keywords).map_or(Ok(Dict::new()), |kwds| Dict::try_from(&kwds))?;
        let call = move |positional: Vec<Object>| function.call(positional, keywords.copy());
        let result = self.0.map_async(call, [positional]);
        Ok(Job::new(result.map_err(job_error)?, true, callbacks))
    }

    fn map(&self, method: &str, args: &Args<'_>) -> Result<Job, Exception> {
        let calls = self.calls(method, args)?;
        let pool = match calls.chunksize {
            Some(chunksize) => self.0.with_chunksize(size(chunksize)),
            None => self.0.clone(),
        };
        let callbacks = match calls.items.is_empty() {
            // Python calls none.
            true => Callbacks::default(),
            false => calls.callbacks,
        };
        let result = pool.map_async(calls.function, calls.items);
        Ok(Job::new(result.map_err(job_error)?, false, callbacks))
    }

    fn imap(&self, method: &str, args: &Args<'_>) -> Result<PythonIterator, Exception> {
        let Calls {
            function,
            items,
            chunksize,
            ..
        } = self.calls(method, args)?;
        let chunksize = chunksize.unwrap_or(1);
        if chunksize < 1 {
            let text = format!("Chunksize must be 1+, not {chunksize}");
            return Err(Exception::value_error(text));
        }
        let pool = self.0.with_chunksize(size(chunksize));
        let open = |result: Result<Outcome, JobError>| result.map_err(job_error)?;
        Ok(if method == "imap" {
            let mut results = pool.imap(function, items);
            PythonIterator::trying("IMapIterator", move || results.next().map(open))
        } else {
            let mut results = pool.imap_unordered(function, items);
            PythonIterator::trying("IMapUnorderedIterator", move || results.next().map(open))
        })
    }

    fn calls(&self, method: &str, args: &Args<'_>) -> Result<Calls, Exception> {
        let names = ["func", "iterable", "chunksize"];
        let ([function, iterable, chunksize], callbacks) = self.bind(method, args, names, 2)?;
        let function: Callable = args.callable(&function.into())?;
        let items = iterate(args, &iterable.into())?;
        let items = items
            .into_iter()
            .map(|item| match method.starts_with("star") {
                true => iterate(args, &item),
                false => Ok(vec![item]),
            });
        let call = move |item: Vec<Object>| function.call(item, Dict::new());
        let chunksize = given(chunksize).map(|size| number(&size)).transpose()?;
        Ok(Calls {
            function: Box::new(call),
            items: items.collect::<Result<_, _>>()?,
            chunksize,
            callbacks,
        })
    }

    /// The arguments of a method, of which those that do not wait take callbacks as well.
    ///
    /// A pool that is closed looks at none of them, as in Python.
    fn bind(
        &self,
        method: &str,
        args: &Args<'_>,
        names: [&str; 3],
        required: usize,
    ) -> Result<([Option<Object>; 3], Callbacks), Exception> {
        let function = format!("Pool.{method}");
        if !method.ends_with("_async") {
            let bound = args.bind(&function, names, required)?;
            self.check()?;
            return Ok((bound, Callbacks::default()));
        }
        let [one, two, three] = names;
        let names = [one, two, three, "callback", "error_callback"];
        let [one, two, three, callback, error_callback] = args.bind(&function, names, required)?;
        self.check()?;
        let callbacks = Callbacks::find(args, callback, error_callback)?;
        Ok(([one, two, three], callbacks))
    }

    fn check(&self) -> Result<(), Exception> {
        match self.0.is_running() {
            true => Ok(()),
            false => Err(job_error(JobError::NotRunning)),
        }
    }
}

/// What a map is to do.
struct Calls {
    function: Box<dyn Fn(Vec<Object>) -> Outcome + Send + Sync>,
    /// The arguments of each call.
    items: Vec<Vec<Object>>,
    /// How many calls go to a thread at once.
    chunksize: Option<i64>,
    callbacks: Callbacks,
}

/// How many calls go to a thread at once: 1, if that says nothing.
fn size(chunksize: i64) -> usize {
    usize::try_from(chunksize).unwrap_or(1)
}

/// A result that is or will be there, Python's `AsyncResult`.
struct Job {
    result: MapResult<Outcome>,
    /// Whether it is one call's.
    single: bool,
    /// What it was, as it can be taken only once.
    known: OnceLock<Outcome>,
}

impl Job {
    fn new(result: MapResult<Outcome>, single: bool, callbacks: Callbacks) -> Self {
        let result = match callbacks.is_empty() {
            true => result,
            false => calling(result, single, callbacks),
        };
        let known = OnceLock::new();
        Self {
            result,
            single,
            known,
        }
    }

    fn get(&self, timeout: Timeout) -> Outcome {
        if !self.result.wait(timeout) {
            return Err(Exception::new("multiprocessing.context.TimeoutError", ()));
        }
        self.known.get_or_init(|| self.take()).clone()
    }

    fn take(&self) -> Outcome {
        joined(self.result.get(None).map_err(job_error)?, self.single)
    }
}

/// Has callbacks called when the result is there.
fn calling(result: MapResult<Outcome>, single: bool, callbacks: Callbacks) -> MapResult<Outcome> {
    let failure = callbacks.clone();
    result
        .with_callback(move |outcomes| callbacks.call(joined(outcomes.clone(), single)))
        .with_error_callback(move |error| failure.call(Err(job_error(error.clone()))))
}

/// One call's outcome, or a list of all calls'.
fn joined(outcomes: Vec<Outcome>, single: bool) -> Outcome {
    let mut values: Vec<Object> = outcomes.into_iter().collect::<Result<_, _>>()?;
    match single {
        true => Ok(values.pop().into()),
        false => Ok(values.into()),
    }
}

impl Referent for Job {
    fn type_name(&self) -> &str {
        if self.single {
            "ApplyResult"
        } else {
            "MapResult"
        }
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["get", "ready", "successful", "wait"]
    }

    fn repr(&self) -> String {
        let address = std::ptr::from_ref(self).addr();
        let name = self.type_name();
        format!("<multiprocessing.pool.{name} object at {address:#x}>")
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        if let "get" | "wait" = method {
            let [timeout] = args.bind(&format!("ApplyResult.{method}"), ["timeout"], 0)?;
            let timeout = patience::timeout(timeout)?;
            if method == "get" {
                return self.get(timeout).map(Answer::from);
            }
            self.result.wait(timeout);
            return Ok(().into());
        }
        args.bind(&format!("ApplyResult.{method}"), [], 0)?;
        match method {
            "ready" => Ok(self.result.ready().into()),
            "successful" if !self.result.ready() => {
                Err(Exception::value_error(format!("{} not ready", self.repr())))
            }
            "successful" => Ok(self.get(Timeout::NEVER).is_ok().into()),
            _ => Err(self.no_attribute(method)),
        }
    }
}

impl From<Job> for Answer {
    fn from(job: Job) -> Self {
        Self::shared("AsyncResult", Arc::new(job))
    }
}

fn job_error(error: JobError) -> Exception {
    match error {
        JobError::NotRunning => Exception::value_error("Pool not running"),
        other => Exception::runtime_error(other),
    }
}
