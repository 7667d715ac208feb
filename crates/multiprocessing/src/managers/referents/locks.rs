//! `Lock`, `RLock` and `Condition`.

use std::fmt::Display;
use std::sync::Arc;

use hilos_core::lock::RawLock;
use hilos_core::time::Deadline;
use hilos_pickle::Object;
use hilos_threading::{Condition, Lock, RLock};

use super::lockable::{self, AnyLock};
use super::patience;
use super::values::integer;
use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};

/// What Python's `Condition(lock=None)` gives.
pub(crate) fn make_condition(args: &Args<'_>) -> Result<Condition<AnyLock>, Exception> {
    let [lock] = args.bind("Condition.__init__", ["lock"], 0)?;
    Ok(Condition::new(match lock {
        None | Some(Object::None) => lockable::of(Arc::new(RLock::new())),
        Some(object) => lockable::find(args, &object)?,
    }))
}

/// The methods of a class in C that is acquired and released.
fn of_lock<L>(
    lock: &L,
    class: &str,
    method: &str,
    args: &Args<'_>,
) -> Result<Option<Answer>, Exception>
where
    L: RawLock<ReleaseError: Into<Exception>>,
{
    Ok(Some(match method {
        "acquire" => {
            let deadline = patience::of_lock(args)?;
            let attempt = |slice| lock.acquire_until(slice).then_some(());
            patience::in_slices(args, deadline, attempt)?
                .is_some()
                .into()
        }
        "release" => {
            args.none(&format!("{class}.release"))?;
            lock.release().map_err(Into::into)?.into()
        }
        "locked" => {
            args.none(&format!("{class}.locked"))?;
            lock.locked().into()
        }
        _ => return Ok(None),
    }))
}

macro_rules! lock {
    ($($lock:ty, $name:literal $(, $owned:ident)?;)*) => {$(
        impl Referent for $lock {
            fn type_name(&self) -> &str {
                $name
            }

            fn exposed(&self) -> &'static [&'static str] {
                &["acquire", "locked", "release"]
            }

            fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
                let class = $name.trim_start_matches("_thread.");
                of_lock(self, class, method, args)?.ok_or_else(|| self.no_attribute(method))
            }

            fn repr(&self) -> String {
                format!("{self:?}")
            }

            fn contents(&self) -> Option<Object> {
                Some(Object::None)
            }

            $(
                fn $owned(&self) {
                    while self.release().is_ok() {}
                }
            )?
        }
    )*};
}
lock! {
    Lock, "_thread.lock";
    RLock, "_thread.RLock", abandon;
}

impl<L> Referent for Condition<L>
where
    L: RawLock<ReleaseError: Into<Exception>> + Display + Send + Sync + 'static,
{
    fn type_name(&self) -> &str {
        "threading.Condition"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &[
            "acquire",
            "locked",
            "notify",
            "notify_all",
            "release",
            "wait",
        ]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "acquire" => {
                let deadline = patience::of_lock(args)?;
                let attempt = |slice: Deadline| match slice.is_past() {
                    true => self.try_acquire().then_some(Ok(())),
                    false => match self.acquire_timeout(slice.remaining()) {
                        Ok(acquired) => acquired.then_some(Ok(())),
                        Err(error) => Some(Err(Exception::runtime_error(error))),
                    },
                };
                let acquired = patience::in_slices(args, deadline, attempt)?;
                Ok(acquired.transpose()?.is_some().into())
            }
            "release" => {
                args.none("release")?;
                self.release().map_err(Into::into)?;
                Ok(().into())
            }
            "locked" => {
                args.none("locked")?;
                Ok(self.locked().into())
            }
            "wait" => {
                let [timeout] = args.bind("Condition.wait", ["timeout"], 0)?;
                let (timeout, is_over) = (patience::timeout(timeout)?, || args.is_abandoned());
                let notified = self.wait_unless(timeout, patience::SLICE, is_over)?;
                Ok(notified.into())
            }
            "notify" => {
                let [n] = args.bind("Condition.notify", ["n"], 0)?;
                let n = n.map_or(Ok(1), |n| integer(&n))?;
                self.notify(usize::try_from(n).unwrap_or(0))?;
                Ok(().into())
            }
            "notify_all" => {
                args.bind("Condition.notify_all", [], 0)?;
                self.notify_all()?;
                Ok(().into())
            }
            _ => Err(self.no_attribute(method)),
        }
    }

    fn repr(&self) -> String {
        self.to_string()
    }

    fn contents(&self) -> Option<Object> {
        Some(Object::None)
    }

    fn abandon(&self) {
        // An RLock is its thread's; a plain lock any thread may release, and may yet.
        let is_anybodys = || self.notify(0).is_ok();
        let is_anybodys = std::thread::scope(|scope| scope.spawn(is_anybodys).join());
        let is_ours = is_anybodys.is_ok_and(|is_anybodys| !is_anybodys);
        // A semaphore that is free could be released without end.
        while is_ours && self.notify(0).is_ok() && self.release().is_ok() {}
    }
}
