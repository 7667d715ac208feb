//! Finds a key in a table that a lock guards.

use std::ops::{Deref, DerefMut};

use super::Object;
use super::equality::identical_or_same;
use super::table::Table;
use crate::Error;

/// The position of a key that holds no other object.
pub(crate) fn plain<V>(table: &Table<V>, hash: u64, key: &Object) -> Option<usize> {
    let same = |other: &Object| {
        // What holds objects is never equal to what does not.
        Ok::<_, std::convert::Infallible>(identical_or_same(key, other).unwrap_or(false))
    };
    let Ok(found) = table.find(hash, same);
    found
}

/// Locks the table and calls `act` with it, the key's hash, and where the key is.
///
/// Comparing keys may take the lock of anything they hold, perhaps of this very table; so a
/// comparison that has to look inside is made without the lock, and the search repeated.
pub(crate) fn with_entry<V, G, R>(
    key: &Object,
    lock: impl Fn() -> G,
    act: impl FnOnce(&mut Table<V>, u64, Option<usize>) -> R,
) -> Result<R, Error>
where
    G: Deref<Target = Table<V>> + DerefMut,
{
    let hash = key.hash()?;
    let mut verdicts: Vec<(Object, bool)> = Vec::new();
    loop {
        let mut table = lock();
        let search = table.find(hash, |other| match identical_or_same(key, other) {
            Some(answer) => Ok(answer),
            None => {
                let known = verdicts.iter().find(|(judged, _)| judged.is(other));
                known
                    .map(|(_, answer)| *answer)
                    .ok_or_else(|| other.clone())
            }
        });
        match search {
            Ok(found) => return Ok(act(&mut table, hash, found)),
            Err(unsure) => {
                drop(table);
                let answer = *key == unsure;
                verdicts.push((unsure, answer));
            }
        }
    }
}
