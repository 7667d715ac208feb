//! A stable sort by Python's `<`, which may fail and need not be an order.

use super::{Object, order};
use crate::Error;

/// Merges ever longer runs.
pub(crate) fn sorted(mut items: Vec<Object>) -> Result<Vec<Object>, Error> {
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        for pair in items.chunks(2 * width) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, &mut merged)?;
        }
        items = merged;
        width *= 2;
    }
    Ok(items)
}

/// Sorted by `>`; those that are equal stay in their order.
pub(crate) fn reversed(mut items: Vec<Object>) -> Result<Vec<Object>, Error> {
    items.reverse();
    let mut sorted = sorted(items)?;
    sorted.reverse();
    Ok(sorted)
}

fn merge(mut left: &[Object], mut right: &[Object], merged: &mut Vec<Object>) -> Result<(), Error> {
    while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
        if order::less(second, first)? {
            merged.push(second.clone());
            right = right_rest;
        } else {
            merged.push(first.clone());
            left = left_rest;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    Ok(())
}
