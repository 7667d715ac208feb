//! The objects of a server, and who refers to them.

use std::collections::HashMap;
use std::sync::Arc;

use hilos_pickle::Object;
use parking_lot::RwLock;

use crate::connection::Address;
use crate::managers::exception::Exception;
use crate::managers::graph::proxies_in;
use crate::managers::message::Request;
use crate::managers::referent::Referent;
use crate::managers::token::{Token, Travelling};

/// The objects of a server, by the names that tokens have for them.
pub(crate) struct Objects {
    address: Address,
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    entries: HashMap<String, Entry>,
    /// The name of an object that is there already, by its place in memory.
    idents: HashMap<usize, String>,
    last: u64,
}

struct Entry {
    referent: Arc<dyn Referent>,
    /// How many proxies refer to it.
    count: usize,
    /// Whether another object of this server may hold a proxy of it, which counts for nothing.
    nested: bool,
}

impl Objects {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            table: RwLock::default(),
        }
    }

    /// Adds an object, or a reference to one that is there.
    pub(super) fn add(&self, referent: Arc<dyn Referent>) -> String {
        let place = place(&referent);
        let table = &mut *self.table.write();
        let ident = table.idents.entry(place).or_insert_with(|| {
            table.last += 1;
            format!("{:x}", table.last)
        });
        let entry = table.entries.entry(ident.clone()).or_insert(Entry {
            referent,
            count: 0,
            nested: false,
        });
        entry.count += 1;
        ident.clone()
    }

    /// The object of a name.
    pub(super) fn get(&self, ident: &str) -> Result<Arc<dyn Referent>, Exception> {
        let table = self.table.read();
        let referent = table.entries.get(ident).map(|entry| entry.referent.clone());
        referent.ok_or_else(|| Exception::new("KeyError", ident))
    }

    pub(super) fn incref(&self, ident: &str) -> Result<(), Exception> {
        let mut table = self.table.write();
        let entry = table.entries.get_mut(ident);
        entry
            .ok_or_else(|| Exception::new("KeyError", ident))?
            .count += 1;
        Ok(())
    }

    /// Takes a reference back; the last one takes the object away.
    pub(super) fn decref(&self, ident: &str) -> Result<(), Exception> {
        let mut table = self.table.write();
        let entry = table.entries.get_mut(ident);
        let entry = entry.ok_or_else(|| Exception::new("KeyError", ident))?;
        entry.count = entry.count.saturating_sub(1);
        if entry.count > 0 || entry.nested {
            return Ok(());
        }
        let removed = table.entries.remove(ident);
        if let Some(entry) = &removed {
            table.idents.remove(&place(&entry.referent));
        }
        // Its end may take long, and may be the user's code.
        drop(table);
        drop(removed);
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
            let text: String = referent.repr().chars().take(75).collect();
            format!("  {ident}:       refcount={count}\n    {text}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Keeps the objects whose proxies are in a request: another object may come to hold them.
    pub(super) fn adopt(&self, bytes: &[u8], request: &Request) -> Result<(), Exception> {
        const MARK: &[u8] = b"RebuildProxy";
        // Nearly all requests have none, and need not be searched.
        if !bytes.windows(MARK.len()).any(|window| window == MARK) {
            return Ok(());
        }
        for token in proxies_in(&Object::Tuple(request.args.clone()))
            .into_iter()
            .chain(proxies_in(&Object::Dict(request.kwds.clone())))
            .filter(|token| self.is_here(token))
        {
            let mut table = self.table.write();
            let entry = table.entries.get_mut(&token.id);
            entry
                .ok_or_else(|| Exception::new("KeyError", token.id.as_str()))?
                .nested = true;
        }
        Ok(())
    }

    /// The object that a proxy stands for, if it is here.
    pub(crate) fn behind(&self, object: &Object) -> Option<Arc<dyn Referent>> {
        if !Travelling::is_proxy(object) {
            return None;
        }
        let token = Travelling::try_from(object).ok()?.token;
        self.is_here(&token).then(|| self.get(&token.id).ok())?
    }

    /// Whether a token means this server.
    fn is_here(&self, token: &Token) -> bool {
        match (&self.address, &token.address) {
            (Address::Inet(host, port), Address::Inet(other, other_port)) => {
                port == other_port && (host == other || is_this_machine(other))
            }
            (here, there) => here == there,
        }
    }
}

/// Whether a name of a host is one that every machine has for itself.
fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0" | "::1" | "::")
}

fn place(referent: &Arc<dyn Referent>) -> usize {
    Arc::as_ptr(referent).cast::<()>().addr()
}
