//! The program that this process belongs to, with all the processes that it has started.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use crate::shared_memory::random;

/// What tells a program's processes from those of others: they have one tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// The process at the root, which all others end with.
    pub(super) root: u32,
    number: u64,
}

static TREE: Mutex<Option<Tree>> = Mutex::new(None);

fn with_tree<R>(f: impl FnOnce(&mut Option<Tree>) -> R) -> R {
    f(&mut TREE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The tree of this process. Copies of the process that are made later belong to it too.
pub(crate) fn tree() -> Tree {
    with_tree(|tree| {
        *tree.get_or_insert_with(|| Tree {
            root: std::process::id(),
            number: random(),
        })
    })
}

/// Makes this process, which has just started, part of its parent's tree.
pub(crate) fn join(tree: Tree) {
    with_tree(|mine| *mine = Some(tree));
    // The fork server, of which it may be a copy, can have had a tracker of its own.
    super::client::forget();
}

const PREFIX: &str = "hilos-resource-tracker-";

/// Where the tracker listens: a user's own, so that one who gives up rights reaches another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    tree: Tree,
    user: u32,
}

impl Address {
    pub(super) fn current() -> Self {
        Self {
            tree: tree(),
            user: geteuid().as_raw(),
        }
    }

    /// The root's number, out of the address's text.
    pub(super) fn root(text: &[u8]) -> Option<i32> {
        let text = std::str::from_utf8(text).ok()?.strip_prefix(PREFIX)?;
        text.split('-').next()?.parse().ok()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tree { root, number } = self.tree;
        write!(f, "{PREFIX}{root}-{number:016x}-{}", self.user)
    }
}
