//! Python's objects, as far as pickles know them.

pub(crate) mod builtin;
mod burial;
mod bytes;
mod convert;
mod deep_hash;
mod dict;
mod equality;
mod global;
mod hash;
mod instance;
mod int;
mod list;
mod lookup;
mod order;
mod proxy;
mod quote;
mod repr;
mod set;
mod slice;
mod sort;
mod table;
mod text;
mod tuple;

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

pub use bytes::{ByteArray, Bytes};
pub use dict::Dict;
pub use global::Global;
pub use instance::{Construction, Instance, Step};
pub use int::BigInt;
pub(crate) use int::{from_signed_bytes, shortest};
pub use list::List;
pub use set::{FrozenSet, Set};
pub use slice::Slice;
pub use text::Str;
pub use tuple::{IntoIter, Tuple};

/// Any object of Python's that a pickle can hold.
///
/// It is a handle: a clone is the same object, as Python's references are, and containers that can
/// change are shared and guarded by a lock each, so that objects may move between threads and graphs
/// may share parts and have cycles. That is why they are counted references and not an arena: what a
/// message brings can become part of a list that lives on, and go when that does. Dropping, comparing,
/// printing and pickling use no recursion, so that no nesting is too deep.
///
/// `Display` prints what Python's `str` gives, `Debug` what its `repr` gives; `==` and `<` are
/// Python's, and [`hash`](Self::hash) too.
///
/// ```
/// use hilos_pickle::{Dict, Object, loads};
///
/// let object: Object = loads(b"(lp0\nI1\naF2.5\naVa'b\na(dI01\nNsa.")?;
/// assert_eq!(object.to_string(), r#"[1, 2.5, "a'b", {True: None}]"#);
/// let Object::List(list) = object else { panic!() };
/// assert!(list.contains(1.0));
/// # Ok::<(), hilos_pickle::UnpicklingError>(())
/// ```
///
/// # Differences from Python
///
/// A container that holds itself is freed when something breaks the cycle: nothing looks for cycles.
///
/// CPython: [built-in types](https://docs.python.org/3.14/library/stdtypes.html)
#[derive(Clone)]
#[non_exhaustive]
pub enum Object {
    /// `None`.
    None,
    /// A bool.
    Bool(bool),
    /// An int of up to 64 bits.
    Int(i64),
    /// An int of more than 64 bits; a smaller one is never here.
    BigInt(BigInt),
    /// A float.
    Float(f64),
    /// A str.
    Str(Str),
    /// A bytes.
    Bytes(Bytes),
    /// A bytearray.
    ByteArray(ByteArray),
    /// A list.
    List(List),
    /// A tuple.
    Tuple(Tuple),
    /// A dict.
    Dict(Dict),
    /// A set.
    Set(Set),
    /// A frozenset.
    FrozenSet(FrozenSet),
    /// A class or function, by name.
    Global(Global),
    /// An object of a class that is not known here.
    Instance(Instance),
}

impl Object {
    /// The name of the type, `type(x).__name__`; of an instance the name of what makes it.
    pub fn type_name(&self) -> String {
        let name = match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::ByteArray(_) => "bytearray",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Set(_) => "set",
            Self::FrozenSet(_) => "frozenset",
            Self::Global(_) => "type",
            Self::Instance(instance) => match (proxy::describe(instance), instance.class()) {
                (Some((class, _)), _) => return class,
                (None, Some(class)) => return repr::short_name(class),
                (None, None) => "object",
            },
        };
        name.to_owned()
    }

    /// What `bool(x)` gives: false for `None`, zeros and what is empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(bool) => *bool,
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::ByteArray(bytes) => !bytes.lock().is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Tuple(tuple) => !tuple.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
            Self::Set(set) => !set.is_empty(),
            Self::FrozenSet(set) => !set.is_empty(),
            Self::Instance(instance) => !builtin::is_nothing(instance),
            Self::BigInt(_) | Self::Global(_) => true,
        }
    }

    /// Whether both are one object, `a is b`; numbers and the like are if they are equal and alike.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => left.to_bits() == right.to_bits(),
            _ => {
                std::mem::discriminant(self) == std::mem::discriminant(other)
                    && self.address() == other.address()
            }
        }
    }

    /// What tells this object from others that are alive, Python's `id(x)`; 0 for `None`, numbers and
    /// what else has no identity.
    pub fn id(&self) -> usize {
        self.address()
    }

    /// What tells this object from others that are alive, 0 for those that have no identity.
    pub(crate) fn address(&self) -> usize {
        match self {
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 0,
            Self::BigInt(big) => big.address(),
            Self::Str(text) => text.address(),
            Self::Bytes(bytes) => bytes.address(),
            Self::ByteArray(bytes) => bytes.address(),
            Self::List(list) => list.address(),
            Self::Tuple(tuple) => tuple.address(),
            Self::Dict(dict) => dict.address(),
            Self::Set(set) => set.address(),
            Self::FrozenSet(set) => set.address(),
            Self::Global(global) => global.address(),
            Self::Instance(instance) => instance.address(),
        }
    }

    /// How many handles refer to it; 0 for what has no identity.
    pub(crate) fn handles(&self) -> usize {
        match self {
            Self::None | Self::Bool(_) | Self::Int(_) | Self::BigInt(_) | Self::Float(_) => 0,
            Self::Str(text) => text.handles(),
            Self::Bytes(bytes) => bytes.handles(),
            Self::ByteArray(bytes) => bytes.handles(),
            Self::List(list) => list.handles(),
            Self::Tuple(tuple) => tuple.handles(),
            Self::Dict(dict) => dict.handles(),
            Self::Set(set) => set.handles(),
            Self::FrozenSet(set) => set.handles(),
            Self::Global(global) => global.handles(),
            Self::Instance(instance) => instance.handles(),
        }
    }

    /// Whether it can hold other objects.
    #[inline]
    pub(crate) fn is_container(&self) -> bool {
        matches!(
            self,
            Self::List(_)
                | Self::Tuple(_)
                | Self::Dict(_)
                | Self::Set(_)
                | Self::FrozenSet(_)
                | Self::Instance(_)
        )
    }

    /// The bytes of a bytes or bytearray.
    pub(crate) fn to_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes.to_vec()),
            Self::ByteArray(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }

    /// The items of a set or frozenset.
    fn set_snapshot(&self) -> Option<table::Table<()>> {
        match self {
            Self::Set(set) => Some(set.lock().clone()),
            Self::FrozenSet(set) => Some(set.table().clone()),
            _ => None,
        }
    }

    /// Empties a container that can change, so that it is in no cycle any more.
    pub(crate) fn break_cycle(&self) {
        match self {
            Self::List(list) => list.clear(),
            Self::Dict(dict) => dict.clear(),
            Self::Set(set) => set.clear(),
            Self::Instance(instance) => instance.clear(),
            _ => {}
        }
    }
}

/// The lock of a container; a panic elsewhere leaves the container usable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As `lock`, or nothing if others have the lock and this may not `wait`.
pub(crate) fn lock_if<T>(mutex: &Mutex<T>, wait: bool) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => wait.then(|| lock(mutex)),
    }
}

/// What the mutex of a container that is being dropped holds.
fn get_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}
