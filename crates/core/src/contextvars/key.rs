//! What contexts know a variable by.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::ContextVar;

/// A variable that is in a context, whatever the type of its values.
///
/// [`Context::keys`](super::Context::keys) returns them. One is equal to the [`ContextVar`] that
/// it stands for, and to nothing else. A cheap clone.
#[derive(Clone)]
pub struct Key(Arc<Cow<'static, str>>);

impl Key {
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self(Arc::new(name))
    }

    /// The variable's name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The key's identity: no other has this address as long as a clone of this one lives.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Python's repr of the variable, with `default` if it has one.
    pub(super) fn repr<T: fmt::Debug>(
        &self,
        default: Option<&T>,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        f.write_str("<ContextVar name=")?;
        quoted(self.name(), f)?;
        if let Some(default) = default {
            write!(f, " default={default:?}")?;
        }
        write!(f, " at {:#x}>", self.address())
    }
}

/// Writes `text` in the quotes that Python would choose.
fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\'' | '"' if c != quote => f.write_char(c)?,
            _ => write!(f, "{}", c.escape_debug())?,
        }
    }
    f.write_char(quote)
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl<T> PartialEq<ContextVar<T>> for Key {
    fn eq(&self, var: &ContextVar<T>) -> bool {
        self == var.key()
    }
}

impl<T> PartialEq<Key> for ContextVar<T> {
    fn eq(&self, key: &Key) -> bool {
        self.key() == key
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repr(None::<&()>, f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
