//! Python's slices, `l[start:stop:step]`.

use super::{List, Object, Str, Tuple};
use crate::Error;

/// A range of positions in a sequence, Python's `slice`.
///
/// ```
/// use hilos_pickle::{List, Object, Slice};
///
/// let list = List::from_iter((0..5).map(Object::from));
/// assert_eq!(format!("{:?}", list.get_slice(&Slice::new(-2, None, None))?), "[3, 4]");
/// assert_eq!(format!("{:?}", list.get_slice(&Slice::new(None, None, -2))?), "[4, 2, 0]");
/// # Ok::<(), hilos_pickle::Error>(())
/// ```
///
/// CPython: [`slice`](https://docs.python.org/3.14/library/functions.html#slice)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Where it starts, by default at the end that the step leads away from.
    pub start: Option<i64>,
    /// Where it stops, which is not part of it, by default beyond the other end.
    pub stop: Option<i64>,
    /// How far it is from one position to the next, by default 1.
    pub step: Option<i64>,
}

impl Slice {
    /// The slice `start:stop:step`.
    pub fn new<A, B, C>(start: A, stop: B, step: C) -> Self
    where
        A: Into<Option<i64>>,
        B: Into<Option<i64>>,
        C: Into<Option<i64>>,
    {
        let (start, stop, step) = (start.into(), stop.into(), step.into());
        Self { start, stop, step }
    }

    /// The positions that the slice names in a sequence of this length, in its order.
    ///
    /// # Errors
    ///
    /// A `ValueError` if the step is 0.
    pub fn positions(&self, length: usize) -> Result<Vec<usize>, Error> {
        let step = self.step.unwrap_or(1);
        if step == 0 {
            return Err(Error::ValueError("slice step cannot be zero".into()));
        }
        let (first, stop) = self.bounds(length, step);
        let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(match step > 0 {
            true => (first..stop.max(first)).step_by(stride).collect(),
            // Counted from one beyond, so that "before the first" is 0.
            false => (stop..first.max(stop)).rev().step_by(stride).collect(),
        })
    }

    /// Where a rising slice begins and ends; of a falling one, one beyond the begin and the end.
    pub(super) fn bounds(&self, length: usize, step: i64) -> (usize, usize) {
        if step > 0 {
            let start = self.start.map_or(0, |start| clamp(start, length));
            (start, self.stop.map_or(length, |stop| clamp(stop, length)))
        } else {
            let start = self
                .start
                .map_or(length, |start| clamp_beyond(start, length));
            (
                start,
                self.stop.map_or(0, |stop| clamp_beyond(stop, length)),
            )
        }
    }
}

/// A position that may be negative, within the length.
pub(crate) fn clamp(index: i64, length: usize) -> usize {
    let position = if index < 0 {
        index.saturating_add_unsigned(length as u64)
    } else {
        index
    };
    usize::try_from(position.max(0))
        .unwrap_or(usize::MAX)
        .min(length)
}

/// One more than a position that may be negative, where before the first is 0.
fn clamp_beyond(index: i64, length: usize) -> usize {
    let position = if index < 0 {
        index.saturating_add_unsigned(length as u64)
    } else {
        index
    };
    let beyond = position.max(-1).saturating_add(1);
    usize::try_from(beyond).unwrap_or(usize::MAX).min(length)
}

/// What Python pickles for a slice: a call of `builtins.slice`.
impl TryFrom<&Object> for Slice {
    type Error = Error;

    fn try_from(object: &Object) -> Result<Self, Error> {
        let complaint = || {
            Error::TypeError(format!(
                "list indices must be integers or slices, not {}",
                object.type_name()
            ))
        };
        let Object::Instance(instance) = object else {
            return Err(complaint());
        };
        let [start, stop, step] = instance.args() else {
            return Err(complaint());
        };
        if !instance.is_a("builtins", "slice") {
            return Err(complaint());
        }
        Ok(Self {
            start: bound(start)?,
            stop: bound(stop)?,
            step: bound(step)?,
        })
    }
}

fn bound(object: &Object) -> Result<Option<i64>, Error> {
    let complaint = "slice indices must be integers or None or have an __index__ method".to_owned();
    match object {
        Object::None => Ok(None),
        Object::Bool(bool) => Ok(Some(i64::from(*bool))),
        Object::Int(int) => Ok(Some(*int)),
        // Beyond any sequence, as 64 bits are too.
        Object::BigInt(big) => Ok(Some(if big.is_negative() {
            i64::MIN
        } else {
            i64::MAX
        })),
        _ => Err(Error::TypeError(complaint)),
    }
}

impl List {
    /// The items of a slice, `l[a:b:c]`, as another list.
    ///
    /// # Errors
    ///
    /// A `ValueError` if the step is 0.
    pub fn get_slice(&self, slice: &Slice) -> Result<Self, Error> {
        let items = self.lock();
        let positions = slice.positions(items.len())?;
        Ok(positions
            .iter()
            .map(|&position| items[position].clone())
            .collect())
    }

    /// Replaces the items of a slice, `l[a:b:c] = items`, by any number if the step is 1.
    ///
    /// # Errors
    ///
    /// A `ValueError` if the step is 0, or if it is not 1 and the number of items differs.
    pub fn set_slice<I>(&self, slice: &Slice, items: I) -> Result<(), Error>
    where
        I: IntoIterator<Item = Object>,
    {
        let new: Vec<Object> = items.into_iter().collect();
        let mut items = self.lock();
        let positions = slice.positions(items.len())?;
        let step = slice.step.unwrap_or(1);
        if step == 1 {
            let (start, stop) = slice.bounds(items.len(), 1);
            let old: Vec<Object> = items.splice(start..stop.max(start), new).collect();
            drop(items);
            drop(old);
            return Ok(());
        }
        if new.len() != positions.len() {
            return Err(Error::ValueError(format!(
                "attempt to assign sequence of size {} to extended slice of size {}",
                new.len(),
                positions.len()
            )));
        }
        for (position, item) in std::iter::zip(positions, new) {
            items[position] = item;
        }
        Ok(())
    }

    /// Removes the items of a slice, `del l[a:b:c]`.
    ///
    /// # Errors
    ///
    /// A `ValueError` if the step is 0.
    pub fn delete_slice(&self, slice: &Slice) -> Result<(), Error> {
        let mut items = self.lock();
        let mut positions = slice.positions(items.len())?;
        positions.sort_unstable();
        let mut doomed = positions.into_iter().peekable();
        let mut position = 0;
        items.retain(|_| {
            let keep = doomed.next_if_eq(&position).is_none();
            position += 1;
            keep
        });
        Ok(())
    }
}

impl Tuple {
    /// The items of a slice, `t[a:b:c]`, as another tuple.
    ///
    /// # Errors
    ///
    /// A `ValueError` if the step is 0.
    pub fn get_slice(&self, slice: &Slice) -> Result<Self, Error> {
        let positions = slice.positions(self.len())?;
        Ok(positions
            .iter()
            .map(|&position| self[position].clone())
            .collect())
    }
}

impl Str {
    /// The characters of a slice, `s[a:b:c]`.
    ///
    /// # Errors
    ///
    /// A `ValueError` if the step is 0.
    pub fn get_slice(&self, slice: &Slice) -> Result<Self, Error> {
        let points: Vec<&[u8]> = self
            .as_wtf8()
            .chunk_by(|_, next| next & 0xc0 == 0x80)
            .collect();
        let positions = slice.positions(points.len())?;
        let bytes: Vec<u8> = positions
            .iter()
            .flat_map(|&position| points[position])
            .copied()
            .collect();
        Ok(Self::from_wtf8(&bytes).expect("whole characters"))
    }
}
