//! `Iterator`: what a method returns that goes through something step by step.

use std::sync::Arc;

use hilos_pickle::Object;
use parking_lot::Mutex;

use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};

type Next = dyn FnMut() -> Option<Result<Object, Exception>> + Send;

/// An iterator that a manager shares: whoever asks gets the next item.
///
/// ```
/// use hilos_multiprocessing::managers::{Answer, PythonIterator};
///
/// let squares: Answer = PythonIterator::new((0..10).map(|x| x * x)).into();
/// ```
pub struct PythonIterator {
    type_name: &'static str,
    /// `None` once it is closed.
    next: Mutex<Option<Box<Next>>>,
}

impl PythonIterator {
    /// Shares a Rust iterator.
    pub fn new<I>(items: I) -> Self
    where
        I: IntoIterator<Item: Into<Object>, IntoIter: Send + 'static>,
    {
        let mut items = items.into_iter();
        Self::trying("generator", move || {
            items.next().map(|item| Ok(item.into()))
        })
    }

    /// Shares a function that gives the next item.
    pub(crate) fn trying<F>(type_name: &'static str, next: F) -> Self
    where
        F: FnMut() -> Option<Result<Object, Exception>> + Send + 'static,
    {
        Self {
            type_name,
            next: Mutex::new(Some(Box::new(next))),
        }
    }

    fn next(&self) -> Result<Object, Exception> {
        let mut next = self.next.lock();
        let item = next.as_mut().and_then(|next| next());
        if item.is_none() {
            *next = None;
        }
        item.unwrap_or_else(|| Err(Exception::new("StopIteration", ())))
    }
}

impl Referent for PythonIterator {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["__next__", "send", "throw", "close"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "__next__" => {
                args.none("__next__")?;
                self.next().map(Answer::from)
            }
            "send" if self.type_name == "generator" => {
                args.one("generator.send")?;
                self.next().map(Answer::from)
            }
            "close" if self.type_name == "generator" => {
                args.none("generator.close")?;
                *self.next.lock() = None;
                Ok(().into())
            }
            _ => Err(self.no_attribute(method)),
        }
    }
}

impl From<PythonIterator> for Answer {
    fn from(iterator: PythonIterator) -> Self {
        Self::shared("Iterator", Arc::new(iterator))
    }
}
