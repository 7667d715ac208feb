//! `Pool` and what its methods return.

use std::sync::{Arc, OnceLock};

use hilos_core::time::Timeout;
use hilos_pickle::{Dict, Object};

use super::iterator::PythonIterator;
use super::patience;
use super::values::{integer, iterate};
use crate::managers::args::Args;
use crate::managers::callable::Callable;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};
use crate::pool::{JobError, MapResult, ThreadPool};

/// Threads of the server's that call functions which clients name.
pub(crate) struct Workers(ThreadPool);

type Outcome = Result<Object, Exception>;

/// What Python's `Pool(processes=None, initializer=None, initargs=())` gives.
pub(crate) fn make(args: &Args<'_>) -> Result<Workers, Exception> {
    let names = [
        "processes",
        "initializer",
        "initargs",
        "maxtasksperchild",
        "context",
    ];
    let [processes, initializer, initargs, _, _] = args.bind("Pool.__init__", names, 0)?;
    let mut builder = ThreadPool::builder();
    if let Some(processes) = given(processes) {
        builder = builder.processes(usize::try_from(integer(&processes)?).unwrap_or(0));
    }
    if let Some(initializer) = given(initializer) {
        let initializer = args.callable(&initializer)?;
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
            "apply" => self.apply(args)?.get(Timeout::NEVER).map(Answer::from),
            "apply_async" => Ok(self.apply(args)?.into()),
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
}

impl Workers {
    fn apply(&self, args: &Args<'_>) -> Result<Job, Exception> {
        let names = ["func", "args", "kwds", "callback", "error_callback"];
        let [function, positional, keywords, _, _] = args.bind("Pool.apply", names, 1)?;
        let function = args.callable(&function.into())?;
        let positional = positional.map_or(Ok(Vec::new()), |args_| iterate(args, &args_))?;
        let keywords = given(keywords).map_or(Ok(Dict::new()), |kwds| Dict::try_from(&kwds))?;
        let call = move |positional: Vec<Object>| function.call(positional, keywords.copy());
        let result = self.0.map_async(call, [positional]);
        Ok(Job::new(result.map_err(job_error)?, true))
    }

    fn map(&self, method: &str, args: &Args<'_>) -> Result<Job, Exception> {
        let calls = calls(method, args)?;
        let pool = match calls.chunksize {
            Some(chunksize) => self.0.with_chunksize(chunksize),
            None => self.0.clone(),
        };
        let result = pool
            .map_async(calls.function, calls.items)
            .map_err(job_error)?;
        Ok(Job::new(result, false))
    }

    fn imap(&self, method: &str, args: &Args<'_>) -> Result<PythonIterator, Exception> {
        let Calls {
            function,
            items,
            chunksize,
        } = calls(method, args)?;
        let pool = self.0.with_chunksize(chunksize.unwrap_or(1));
        let open = |result: Result<Outcome, JobError>| result.map_err(job_error)?;
        Ok(if method == "imap" {
            let mut results = pool.imap(function, items);
            PythonIterator::trying("IMapIterator", move || results.next().map(open))
        } else {
            let mut results = pool.imap_unordered(function, items);
            PythonIterator::trying("IMapUnorderedIterator", move || results.next().map(open))
        })
    }
}

/// What a map is to do.
struct Calls {
    function: Box<dyn Fn(Vec<Object>) -> Outcome + Send + Sync>,
    /// The arguments of each call.
    items: Vec<Vec<Object>>,
    /// How many calls go to a thread at once.
    chunksize: Option<usize>,
}

fn calls(method: &str, args: &Args<'_>) -> Result<Calls, Exception> {
    let names = [
        "func",
        "iterable",
        "chunksize",
        "callback",
        "error_callback",
    ];
    let [function, iterable, chunksize, ..] = args.bind(&format!("Pool.{method}"), names, 2)?;
    let function: Callable = args.callable(&function.into())?;
    let items = iterate(args, &iterable.into())?;
    let items = items
        .into_iter()
        .map(|item| match method.starts_with("star") {
            true => iterate(args, &item),
            false => Ok(vec![item]),
        });
    let call = move |item: Vec<Object>| function.call(item, Dict::new());
    let chunksize = given(chunksize).map(|size| integer(&size)).transpose()?;
    let chunksize = chunksize.map(|size| usize::try_from(size).unwrap_or(1));
    Ok(Calls {
        function: Box::new(call),
        items: items.collect::<Result<_, _>>()?,
        chunksize,
    })
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
    fn new(result: MapResult<Outcome>, single: bool) -> Self {
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
        let outcomes = self.result.get(None).map_err(job_error)?;
        let mut values: Vec<Object> = outcomes.into_iter().collect::<Result<_, _>>()?;
        match self.single {
            true => Ok(values.pop().into()),
            false => Ok(values.into()),
        }
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
