//! The hash of tuples and instances, from the inside out and without recursion.

use std::collections::{HashMap, HashSet};

use super::hash::{combine, of_address, of_set, shallow};
use super::{Dict, Instance, Object};
use crate::Error;

/// A tuple or instance under way.
struct Frame {
    object: Object,
    shape: Shape,
    children: std::vec::IntoIter<Object>,
    hashes: Vec<u64>,
    /// Whether no instance is inside, whose state might change.
    constant: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Tuple,
    Instance,
    /// The keys and values of an instance's state.
    Attributes,
}

impl Frame {
    /// `None` for what cannot be hashed; a dict can as part of an instance.
    fn new(object: &Object, parent: Option<Shape>) -> Option<Self> {
        let (shape, children) = match object {
            Object::Tuple(tuple) => (Shape::Tuple, tuple.to_vec()),
            Object::Instance(instance) => (Shape::Instance, parts(instance)),
            Object::Dict(dict) if parent == Some(Shape::Instance) => {
                (Shape::Attributes, flat(dict))
            }
            _ => return None,
        };
        let (object, children) = (object.clone(), children.into_iter());
        let constant = shape == Shape::Tuple;
        Some(Self {
            object,
            shape,
            children,
            hashes: Vec::new(),
            constant,
        })
    }

    fn finish(&self) -> u64 {
        match self.shape {
            Shape::Attributes => {
                let pairs = self.hashes.chunks(2);
                of_set(pairs.map(|pair| combine(2, pair.iter().copied())))
            }
            _ => combine(self.hashes.len(), self.hashes.iter().copied()),
        }
    }
}

fn parts(instance: &Instance) -> Vec<Object> {
    let made = [
        instance.function().clone(),
        Object::Tuple(instance.args_tuple().clone()),
    ];
    let kwargs = instance.kwargs().cloned().map(Object::Dict);
    made.into_iter()
        .chain(kwargs)
        .chain(instance.state())
        .collect()
}

fn flat(dict: &Dict) -> Vec<Object> {
    dict.items()
        .into_iter()
        .flat_map(<[Object; 2]>::from)
        .collect()
}

/// The hash of a tuple or instance. What is shared is hashed once, so that the time is in proportion
/// to the objects; an instance that holds what has no hash, or itself, is equal to itself alone.
pub(super) fn of(object: &Object) -> Result<u64, Error> {
    let mut frames: Vec<Frame> = Frame::new(object, None).into_iter().collect();
    let mut open = HashSet::from([object.address()]);
    let mut known = HashMap::new();
    loop {
        let Some(frame) = frames.last_mut() else {
            return Err(Error::unhashable(object));
        };
        let finished = match frame.children.next() {
            None => {
                let hash = frame.finish();
                if let (true, Object::Tuple(tuple)) = (frame.constant, &frame.object) {
                    tuple.remember_hash(hash);
                }
                hash
            }
            Some(child) => {
                if let Some(hash) = shallow(&child) {
                    frame.hashes.push(hash);
                    continue;
                }
                if let Some(hash) = known.get(&child.address()) {
                    frame.hashes.push(*hash);
                    frame.constant = false;
                    continue;
                }
                if let Some(inner) = Frame::new(&child, Some(frame.shape))
                    && open.insert(child.address())
                {
                    frames.push(inner);
                    continue;
                }
                let instance = frames
                    .iter()
                    .rposition(|frame| frame.shape == Shape::Instance);
                let instance = instance.ok_or_else(|| Error::unhashable(&child))?;
                for given_up in frames.drain(instance + 1..) {
                    open.remove(&given_up.object.address());
                }
                of_address(frames[instance].object.address())
            }
        };
        let Some(done) = frames.pop() else {
            return Ok(finished);
        };
        open.remove(&done.object.address());
        known.insert(done.object.address(), finished);
        let Some(parent) = frames.last_mut() else {
            return Ok(finished);
        };
        parent.hashes.push(finished);
        parent.constant &= done.constant;
    }
}
