//! `Semaphore`, `BoundedSemaphore`, `Event` and `Barrier`.

use hilos_core::time::Deadline;
use hilos_pickle::{Dict, Object};
use hilos_threading::{Barrier, BoundedSemaphore, BrokenBarrierError, Event, Semaphore};

use super::holder::no_name;
use super::patience;
use super::values::number;
use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};
use crate::managers::thrown::{catching, throw};

/// What Python's `Semaphore(value=1)` begins with.
pub(crate) fn initial_value(args: &Args<'_>) -> Result<usize, Exception> {
    let [value] = args.bind("Semaphore.__init__", ["value"], 0)?;
    let value = value.map_or(Ok(1), |value| number(&value))?;
    let text = "semaphore initial value must be >= 0";
    usize::try_from(value).map_err(|_| Exception::value_error(text))
}

/// What Python's `Barrier(parties, action=None, timeout=None)` gives.
pub(crate) fn make_barrier(args: &Args<'_>) -> Result<Barrier, Exception> {
    let names = ["parties", "action", "timeout"];
    let [parties, action, timeout] = args.bind("Barrier.__init__", names, 1)?;
    let parties = number(&parties.unwrap_or(Object::None))?;
    let mut barrier = Barrier::new(usize::try_from(parties).unwrap_or(0))?;
    if let Some(action) = action.filter(|action| !matches!(action, Object::None)) {
        let action = args.callable(&action)?;
        barrier = barrier.with_action(move || {
            // It breaks the barrier, and is raised where the last one waits.
            if let Err(exception) = action.call([], Dict::new()) {
                throw(exception);
            }
        });
    }
    Ok(barrier.with_timeout(patience::timeout(timeout)?))
}

fn of_semaphore(
    semaphore: &Semaphore,
    method: &str,
    args: &Args<'_>,
) -> Result<Option<Answer>, Exception> {
    Ok(Some(match method {
        "acquire" => {
            let deadline = patience::of_semaphore(args)?.deadline();
            let attempt =
                |slice: Deadline| semaphore.acquire_timeout(slice.remaining()).then_some(());
            patience::in_slices(args, deadline, attempt)?
                .is_some()
                .into()
        }
        "release" => {
            let [n] = args.bind("Semaphore.release", ["n"], 0)?;
            let n = n.map_or(Ok(1), |n| number(&n))?;
            semaphore.release_n(usize::try_from(n).unwrap_or(0))?.into()
        }
        _ => return Ok(None),
    }))
}

macro_rules! semaphore {
    ($($semaphore:ident)*) => {$(
        impl Referent for $semaphore {
            fn type_name(&self) -> &str {
                concat!("threading.", stringify!($semaphore))
            }

            fn exposed(&self) -> &'static [&'static str] {
                &["acquire", "release"]
            }

            fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
                of_semaphore(self, method, args)?.ok_or_else(|| self.no_attribute(method))
            }

            fn repr(&self) -> String {
                format!("{self:?}")
            }

            fn contents(&self) -> Option<Object> {
                Some(Object::None)
            }
        }
    )*};
}
semaphore!(Semaphore BoundedSemaphore);

impl Referent for Event {
    fn type_name(&self) -> &str {
        "threading.Event"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["clear", "is_set", "set", "wait"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        if method == "wait" {
            let [timeout] = args.bind("Event.wait", ["timeout"], 0)?;
            let deadline = patience::timeout(timeout)?.deadline();
            let attempt = |slice: Deadline| self.wait(slice.remaining()).then_some(());
            let is_set = patience::in_slices(args, deadline, attempt)?;
            return Ok(is_set.is_some().into());
        }
        args.bind(&format!("Event.{method}"), [], 0)?;
        Ok(match method {
            "clear" => self.clear().into(),
            "is_set" => self.is_set().into(),
            "set" => self.set().into(),
            _ => return Err(self.no_attribute(method)),
        })
    }

    fn repr(&self) -> String {
        format!("{self:?}")
    }

    fn contents(&self) -> Option<Object> {
        Some(Object::None)
    }
}

impl Referent for Barrier {
    fn type_name(&self) -> &str {
        "Barrier"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["__getattribute__", "abort", "reset", "wait"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "wait" => {
                let [timeout] = args.bind("Barrier.wait", ["timeout"], 0)?;
                let (timeout, is_over) = (patience::timeout(timeout)?, || args.is_abandoned());
                let broken =
                    |_: BrokenBarrierError| Exception::new("threading.BrokenBarrierError", ());
                let index = catching(|| {
                    let index = self.wait_unless(timeout, patience::SLICE, is_over);
                    index.map_err(broken)
                });
                index.map(Answer::from)
            }
            "__getattribute__" => {
                let name = args.operand(method)?;
                Ok(match <&str>::try_from(&name).map_err(|_| no_name(&name))? {
                    "parties" => self.parties().into(),
                    "n_waiting" => self.n_waiting().into(),
                    "broken" => self.broken().into(),
                    other => return Err(self.no_attribute(other)),
                })
            }
            _ => {
                args.bind(&format!("Barrier.{method}"), [], 0)?;
                Ok(match method {
                    "abort" => self.abort().into(),
                    "reset" => self.reset().into(),
                    _ => return Err(self.no_attribute(method)),
                })
            }
        }
    }

    fn repr(&self) -> String {
        format!("{self:?}")
    }

    fn contents(&self) -> Option<Object> {
        Some(Object::None)
    }
}
