//! The objects of a server, and who refers to them.

use std::sync::Arc;

use hilos_pickle::Object;
use parking_lot::RwLock;

use super::search::mentions_proxy;
use super::session::guarded;
use super::table::{Entry, Table};
use crate::connection::Address;
use crate::managers::exception::Exception;
use crate::managers::graph::proxies_in;
use crate::managers::referent::Referent;
use crate::managers::token::{Token, Travelling};

/// The objects of a server, by the names that tokens have for them.
pub(crate) struct Objects {
    address: Address,
    table: RwLock<Table>,
}

impl Objects {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            table: RwLock::new(Table::new()),
        }
    }

    /// Adds an object, or a reference to one that is there.
    pub(super) fn add(&self, referent: Arc<dyn Referent>) -> String {
        self.table.write().add(referent)
    }

    /// The object of a name.
    pub(super) fn get(&self, ident: &str) -> Result<Arc<dyn Referent>, Exception> {
        let table = self.table.read();
        let referent = table.entries.get(ident).map(|entry| entry.referent.clone());
        referent.ok_or_else(|| Exception::new("KeyError", ident))
    }

    pub(super) fn incref(&self, ident: &str) -> Result<(), Exception> {
        self.table.write().change(ident, |entry| entry.count += 1)
    }

    /// Takes a reference back; the last one takes the object away.
    pub(super) fn decref(&self, ident: &str) -> Result<(), Exception> {
        let mut table = self.table.write();
        table.change(ident, |entry| entry.count = entry.count.saturating_sub(1))?;
        let removed = table.remove_unused(ident);
        let due = table.is_sweep_due();
        // Its end may take long, and may be the user's code.
        drop(table);
        drop(removed);
        if due {
            self.sweep();
        }
        Ok(())
    }

    /// How many objects proxies refer to.
    pub(super) fn len(&self) -> usize {
        let table = self.table.read();
        table
            .entries
            .values()
            .filter(|entry| entry.count > 0)
            .count()
    }

    pub(super) fn debug_info(&self) -> String {
        let mut lines: Vec<_> = {
            let table = self.table.read();
            let counted = table.entries.iter().filter(|(_, entry)| entry.count > 0);
            counted
                .map(|(ident, entry)| (ident.clone(), entry.count, entry.referent.clone()))
                .collect()
        };
        lines.sort_by(|one, other| one.0.cmp(&other.0));
        let lines = lines.iter().map(|(ident, count, referent)| {
            let text = guarded(|| Ok(referent.repr()));
            let text: String = text.unwrap_or_default().chars().take(75).collect();
            format!("  {ident}:       refcount={count}\n    {text}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The objects here whose proxies are in a message, that is in a value of which these are the bytes.
    pub(super) fn mentioned(&self, bytes: &[u8], value: impl FnOnce() -> Object) -> Vec<String> {
        // Nearly all messages have none, and need not be searched.
        if !mentions_proxy(bytes) {
            return Vec::new();
        }
        let tokens = proxies_in(&value()).into_iter();
        let here = tokens.filter(|token| self.is_here(token));
        here.map(|token| token.id).collect()
    }

    /// Keeps objects without a reference, since another object may come to hold proxies of them.
    pub(super) fn nest(&self, idents: &[String]) -> Result<(), Exception> {
        if idents.is_empty() {
            return Ok(());
        }
        let mut table = self.table.write();
        let mut nest = |ident: &String| table.change(ident, |entry| entry.nested = true);
        idents.iter().try_for_each(&mut nest)
    }

    /// Keeps objects for ever, since nobody knows who holds proxies of them.
    pub(super) fn keep(&self, idents: &[String]) {
        self.change_all(idents, |entry| entry.kept = true);
    }

    /// Keeps objects until their proxies have arrived that are in a message.
    pub(super) fn carry(&self, idents: &[String]) {
        self.change_all(idents, |entry| entry.carried += 1);
    }

    /// Says that the proxies have arrived.
    pub(super) fn deliver(&self, idents: &[String]) {
        self.change_all(idents, |entry| {
            entry.carried = entry.carried.saturating_sub(1)
        });
    }

    fn change_all(&self, idents: &[String], change: impl Fn(&mut Entry)) {
        if idents.is_empty() {
            return;
        }
        let mut table = self.table.write();
        for ident in idents {
            // One that is gone needs nothing.
            let _ = table.change(ident, &change);
        }
    }

    /// Frees the nested objects that nothing holds any more.
    fn sweep(&self) {
        let snapshot = self.table.write().begin_sweep();
        let reached = guarded(|| Ok(snapshot.reach(|token| self.is_here(token))));
        let reached = reached.unwrap_or_else(|_| snapshot.all());
        let freed = self.table.write().finish_sweep(&reached);
        // What they held may now be free, too, and the next sweep finds it.
        drop(freed);
    }

    /// The object that a proxy stands for, if it is here.
    pub(crate) fn behind(&self, object: &Object) -> Option<Arc<dyn Referent>> {
        if !Travelling::is_proxy(object) {
            return None;
        }
        let token = Travelling::try_from(object).ok()?.token;
        self.is_here(&token).then(|| self.get(&token.id).ok())?
    }

    /// Whether a token means this server, by whichever of its addresses the client has called it.
    fn is_here(&self, token: &Token) -> bool {
        let ours = self.table.read().gave(&token.id);
        ours || self.address == token.address
    }
}
