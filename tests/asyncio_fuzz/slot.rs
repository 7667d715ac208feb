//! The futures that a program refers to by number, and what is said of them.

use hilos::asyncio::{Exception, Future, InvalidStateError, Result, Task};

/// A task, a future, or what `gather` returned.
#[derive(Clone)]
pub(crate) enum Slot {
    Task(Task<i64>),
    Future(Future<i64>),
    List(Future<Vec<i64>>),
    Outcomes(Future<Vec<Result<i64>>>),
}

/// Does something with the future in a slot, whatever its type.
macro_rules! each {
    ($slot:expr, $future:ident => $does:expr) => {
        match $slot {
            $crate::slot::Slot::Task($future) => $does,
            $crate::slot::Slot::Future($future) => $does,
            $crate::slot::Slot::List($future) => $does,
            $crate::slot::Slot::Outcomes($future) => $does,
        }
    };
}
pub(crate) use each;

impl Slot {
    /// The future, of a slot that holds an integer's.
    pub(crate) fn future(self) -> Future<i64> {
        match self {
            Self::Task(task) => task.into(),
            Self::Future(future) => future,
            Self::List(_) | Self::Outcomes(_) => {
                unreachable!("a program takes no list for a number")
            }
        }
    }

    pub(crate) fn state(&self) -> &'static str {
        each!(self, f => match (f.cancelled(), f.done()) {
            (true, _) => "cancelled",
            (_, true) => "done",
            _ => "pending",
        })
    }
}

/// What a trace says of a value.
pub(crate) trait Said {
    fn said(&self) -> String;
}

impl Said for i64 {
    fn said(&self) -> String {
        self.to_string()
    }
}

impl<T: Said> Said for Vec<T> {
    fn said(&self) -> String {
        let items: Vec<_> = self.iter().map(T::said).collect();
        format!("[{}]", items.join(", "))
    }
}

impl<T: Said> Said for Result<T> {
    fn said(&self) -> String {
        match self {
            Ok(value) => value.said(),
            Err(exception) => exception.said(),
        }
    }
}

impl Said for Exception {
    fn said(&self) -> String {
        if self.is::<InvalidStateError>() {
            return "InvalidStateError".to_owned();
        }
        let name = self.type_name();
        if let Some(group) = self.group() {
            let exceptions = group.exceptions().to_vec().said();
            return format!("{name}({} {exceptions})", group.message());
        }
        let message = self.to_string();
        // What follows is the repr of an object.
        let message = message.split('<').next().unwrap_or_default();
        format!("{name}({message})")
    }
}
