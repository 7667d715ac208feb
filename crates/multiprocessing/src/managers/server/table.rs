//! What a server knows of each of its objects.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::current::random_bytes;
use crate::managers::exception::Exception;
use crate::managers::graph::proxies_in;
use crate::managers::referent::Referent;
use crate::managers::token::Token;

/// So many nested objects without a reference do not make looking for garbage worth while.
const FEW: usize = 64;

pub(super) struct Table {
    pub(super) entries: HashMap<String, Entry>,
    /// The name of an object that is there already, by its place in memory.
    idents: HashMap<usize, String>,
    /// What all names begin with, so that they are no other server's.
    prefix: String,
    last: u64,
    /// How many nested objects have no reference.
    idle: usize,
    /// How many of them the last sweep left.
    left: usize,
}

pub(super) struct Entry {
    pub(super) referent: Arc<dyn Referent>,
    /// How many proxies refer to it.
    pub(super) count: usize,
    /// Whether another object of this server may hold a proxy of it, which counts for nothing.
    pub(super) nested: bool,
    /// How many replies with proxies of it may not have arrived.
    pub(super) carried: usize,
    /// Whether it is never let go.
    pub(super) kept: bool,
    /// Whether the last sweep did not find it. It may have been on the way from one object to another:
    /// only one that two sweeps in a row do not find is garbage.
    lost: bool,
}

impl Entry {
    fn is_idle(&self) -> bool {
        self.nested && self.count == 0
    }
}

impl Table {
    pub(super) fn new() -> Self {
        // The inputs of a fuzzer name objects by their numbers alone.
        let prefix = match cfg!(fuzzing) {
            true => String::new(),
            false => format!("{:016x}", u64::from_ne_bytes(random_bytes())),
        };
        Self {
            entries: HashMap::new(),
            idents: HashMap::new(),
            prefix,
            last: 0,
            idle: 0,
            left: 0,
        }
    }

    /// Whether a name is of this table, even if its object is gone.
    pub(super) fn gave(&self, ident: &str) -> bool {
        ident.starts_with(&self.prefix)
    }

    pub(super) fn add(&mut self, referent: Arc<dyn Referent>) -> String {
        let ident = self.idents.entry(place(&referent)).or_insert_with(|| {
            self.last += 1;
            format!("{}{:x}", self.prefix, self.last)
        });
        let ident = ident.clone();
        self.entries.entry(ident.clone()).or_insert(Entry {
            referent,
            count: 0,
            nested: false,
            carried: 0,
            kept: false,
            lost: false,
        });
        let _ = self.change(&ident, |entry| entry.count += 1);
        ident
    }

    pub(super) fn change(
        &mut self,
        ident: &str,
        change: impl FnOnce(&mut Entry),
    ) -> Result<(), Exception> {
        let entry = self.entries.get_mut(ident);
        let entry = entry.ok_or_else(|| Exception::new("KeyError", ident))?;
        self.idle -= usize::from(entry.is_idle());
        change(entry);
        entry.lost = false;
        self.idle += usize::from(entry.is_idle());
        Ok(())
    }

    /// Removes an object that nothing refers to.
    pub(super) fn remove_unused(&mut self, ident: &str) -> Option<Entry> {
        let entry = self.entries.get(ident)?;
        let unused = entry.count == 0 && !entry.nested;
        unused.then(|| self.remove(ident))?
    }

    fn remove(&mut self, ident: &str) -> Option<Entry> {
        let entry = self.entries.remove(ident)?;
        self.idle -= usize::from(entry.is_idle());
        self.idents.remove(&place(&entry.referent));
        Some(entry)
    }

    /// Whether there are so many nested objects without a reference that some may be garbage.
    pub(super) fn is_sweep_due(&self) -> bool {
        self.idle > 2 * self.left + FEW
    }

    /// What a sweep has to look through. The objects say what they hold without the table's lock, as
    /// they may have locks of their own.
    pub(super) fn begin_sweep(&mut self) -> Snapshot {
        // No other thread begins one meanwhile.
        self.left = usize::MAX / 4;
        let all = self.entries.iter();
        let idle = all.clone().filter(|(_, entry)| entry.is_idle());
        let roots = all.filter(|(_, entry)| !entry.is_idle() || entry.kept || entry.carried > 0);
        Snapshot {
            roots: roots.map(|(_, entry)| entry.referent.clone()).collect(),
            idle: idle
                .map(|(ident, entry)| (ident.clone(), entry.referent.clone()))
                .collect(),
        }
    }

    /// Removes what this sweep and the one before have not reached.
    pub(super) fn finish_sweep(&mut self, reached: &HashSet<String>) -> Vec<Entry> {
        let mut garbage = Vec::new();
        for (ident, entry) in &mut self.entries {
            let free = entry.is_idle() && entry.carried == 0 && !entry.kept;
            let lost = free && !reached.contains(ident);
            if lost && entry.lost {
                garbage.push(ident.clone());
            }
            entry.lost = lost;
        }
        let removed = garbage
            .iter()
            .filter_map(|ident| self.remove(ident))
            .collect();
        // Those that are lost for the first time make the next sweep due sooner.
        self.left = self
            .entries
            .values()
            .filter(|entry| entry.is_idle() && !entry.lost)
            .count();
        removed
    }
}

/// Objects to begin with, and nested objects to be reached from them.
pub(super) struct Snapshot {
    roots: Vec<Arc<dyn Referent>>,
    idle: HashMap<String, Arc<dyn Referent>>,
}

impl Snapshot {
    /// The names of all the nested objects.
    pub(super) fn all(&self) -> HashSet<String> {
        self.idle.keys().cloned().collect()
    }

    /// The names of the nested objects whose proxies are held.
    pub(super) fn reach(&self, is_here: impl Fn(&Token) -> bool) -> HashSet<String> {
        let mut reached = HashSet::new();
        let mut heap: Vec<_> = self.roots.iter().collect();
        while let Some(referent) = heap.pop() {
            let tokens = referent
                .contents()
                .map_or_else(Vec::new, |held| proxies_in(&held));
            for token in tokens.into_iter().filter(&is_here) {
                if let Some((ident, nested)) = self.idle.get_key_value(&token.id)
                    && reached.insert(ident.clone())
                {
                    heap.push(nested);
                }
            }
        }
        reached
    }
}

fn place(referent: &Arc<dyn Referent>) -> usize {
    Arc::as_ptr(referent).cast::<()>().addr()
}
