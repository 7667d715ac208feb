//! A task or a future, whatever its result.

use std::fmt;

use crate::any_future::{AnyRc, same};
use crate::any_task::AnyTask;
use crate::awaited_by::id;
use crate::futures::Future;
use crate::repr::debug_like_display;
use crate::tasks::Task;
use crate::wait::Waitable;

/// A task or a future, whatever its result: what call graphs are made of.
///
/// Equal to the other handles of the same task or future.
#[derive(Clone)]
pub struct AnyWaitable(pub(crate) AnyRc);

impl AnyWaitable {
    /// The task, if it is one.
    pub fn task(&self) -> Option<AnyTask> {
        self.0.task()?;
        Some(AnyTask(self.0.clone()))
    }

    /// Whether it is done.
    pub fn done(&self) -> bool {
        self.0.head().done()
    }

    /// Whether it was cancelled.
    pub fn cancelled(&self) -> bool {
        self.0.head().cancelled()
    }

    /// A number that none other has while this one lives: Python's `id`.
    pub fn id(&self) -> usize {
        id(&self.0).addr()
    }
}

impl PartialEq for AnyWaitable {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl Eq for AnyWaitable {}

impl Waitable for AnyWaitable {
    #[expect(private_interfaces, reason = "as in the trait")]
    fn any_future(&self) -> AnyRc {
        self.0.clone()
    }
}

macro_rules! from_handles {
    ($($type:ident $(<$result:ident>)?)*) => {$(
        impl$(<$result: 'static>)? From<&$type$(<$result>)?> for AnyWaitable {
            fn from(handle: &$type$(<$result>)?) -> Self {
                Self(handle.any_future())
            }
        }

        impl$(<$result: 'static>)? From<&$type$(<$result>)?> for Option<AnyWaitable> {
            fn from(handle: &$type$(<$result>)?) -> Self {
                Some(handle.into())
            }
        }
    )*};
}
from_handles!(Task<T> Future<T> AnyTask AnyWaitable);

impl fmt::Display for AnyWaitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.repr())
    }
}

debug_like_display!(AnyWaitable);
