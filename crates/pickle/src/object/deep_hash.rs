//! The hash of tuples and instances, from the inside out and without recursion.

use std::collections::{HashMap, HashSet};

use super::hash::{combine, of_address, of_set, shallow};
use super::{Dict, Instance, Object, builtin};
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
            Object::Instance(instance) if builtin::is_array(instance) => return None,
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
    let frames = Frame::new(object, None).into_iter().collect();
    let open = HashSet::from([object.address()]);
    let mut walk = Walk {
        frames,
        open,
        known: HashMap::new(),
    };
    loop {
        let Some(frame) = walk.frames.last_mut() else {
            return Err(Error::unhashable(object));
        };
        let finished = match frame.children.next() {
            None => Some(frame.finish()),
            Some(child) => walk.enter(&child)?,
        };
        if let Some(result) = finished.and_then(|hash| walk.leave(hash)) {
            return Ok(result);
        }
    }
}

struct Walk {
    frames: Vec<Frame>,
    /// Where those under way are, for what holds itself.
    open: HashSet<usize>,
    known: HashMap<usize, u64>,
}

impl Walk {
    /// Takes a child's hash if that is known, or else begins with it; if it cannot be hashed, the hash
    /// of the instance that holds it, which is then the innermost under way.
    fn enter(&mut self, child: &Object) -> Result<Option<u64>, Error> {
        let Some(frame) = self.frames.last_mut() else {
            return Ok(None);
        };
        if let Some(hash) = shallow(child) {
            frame.hashes.push(hash);
        } else if let Some(hash) = self.known.get(&child.address()) {
            frame.hashes.push(*hash);
            frame.constant = false;
        } else if let Some(inner) = Frame::new(child, Some(frame.shape))
            && self.open.insert(child.address())
        {
            self.frames.push(inner);
        } else {
            let instance = self
                .frames
                .iter()
                .rposition(|frame| frame.shape == Shape::Instance);
            let instance = instance.ok_or_else(|| Error::unhashable(child))?;
            for given_up in self.frames.drain(instance + 1..) {
                self.open.remove(&given_up.object.address());
            }
            return Ok(Some(of_address(self.frames[instance].object.address())));
        }
        Ok(None)
    }

    /// The innermost under way has this hash; the result if it was the outermost too.
    fn leave(&mut self, hash: u64) -> Option<u64> {
        let Some(done) = self.frames.pop() else {
            return Some(hash);
        };
        let address = done.object.address();
        self.open.remove(&address);
        self.known.insert(address, hash);
        if let (true, Object::Tuple(tuple)) = (done.constant, &done.object) {
            tuple.remember_hash(hash);
        }
        let Some(parent) = self.frames.last_mut() else {
            return Some(hash);
        };
        parent.hashes.push(hash);
        parent.constant &= done.constant;
        None
    }
}
