//! `multiprocessing.managers.ArrayProxy`.

use hilos_pickle::{Global, Instance, Object, Slice, Tuple};

use super::error::RemoteError;
use super::iterator::by_index;
use super::python;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// An array of numbers in a manager's process.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let array = manager.array("i", 0..5)?;
    /// array.set(-1, 10)?;
    /// assert_eq!(array.to_vec()?, [0, 1, 2, 3, 10]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.Array`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.Array).
    ArrayProxy<T>
}

impl<T: Item> ArrayProxy<T> {
    /// How many items the array has.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn len(&self) -> Result<usize, RemoteError> {
        self.proxy.call_as("__len__", ())
    }

    /// Whether the array has no items.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn is_empty(&self) -> Result<bool, RemoteError> {
        Ok(self.len()? == 0)
    }

    /// The item at an index; a negative one counts from the end.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if there is none.
    pub fn get(&self, index: i64) -> Result<T, RemoteError> {
        self.proxy.call_as("__getitem__", (index,))
    }

    /// Replaces the item at an index.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if there is none; [`RemoteError::Overflow`] or [`RemoteError::Type`]
    /// if it does not fit.
    pub fn set<V: Into<T>>(&self, index: i64, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("__setitem__", (index, item.into()))
    }

    /// The items of a slice.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn get_slice(&self, slice: Slice) -> Result<Vec<T>, RemoteError> {
        let array = self.proxy.call("__getitem__", (python::slice(slice),))?;
        self.proxy.convert(&numbers(&array)?)
    }

    /// Replaces the items of a slice.
    ///
    /// # Errors
    /// [`RemoteError::Value`] if the slice has steps, and not as many items;
    /// [`RemoteError::Traceback`] if an item does not fit.
    pub fn set_slice<I>(&self, slice: Slice, items: I) -> Result<(), RemoteError>
    where
        I: IntoIterator<Item: Into<T>>,
    {
        // Only an array of the same type can be assigned: an empty slice tells which.
        let empty = python::slice(Slice::new(0, 0, None));
        let empty = self.proxy.call("__getitem__", (empty,))?;
        let (typecode, _) = parts(&empty)?;
        let items: Vec<T> = items.into_iter().map(Into::into).collect();
        let args = Tuple::from_iter([typecode.into(), hilos_pickle::to_object(&items)?]);
        let array = Instance::reduce(Global::new("array", "array"), args);
        let args = (python::slice(slice), Object::from(array));
        self.proxy.call_as("__setitem__", args)
    }

    /// All items.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn to_vec(&self) -> Result<Vec<T>, RemoteError> {
        self.get_slice(Slice::default())
    }

    /// Iterates over the items by their index, one call each.
    ///
    /// An error that every call would have, because the server or the array is gone or does not answer,
    /// is the last one.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, RemoteError>> + '_ {
        by_index(|index| self.get(index))
    }
}

fn no_array(object: &Object) -> RemoteError {
    RemoteError::conversion(format_args!("expected an array, got {object:?}"))
}

/// What an array is made of: the code of its type, and the items or their bytes.
fn parts(object: &Object) -> Result<(&str, &Object), RemoteError> {
    match object {
        Object::Instance(array) if array.is_a("array", "array") => match array.args() {
            [typecode @ Object::Str(_), items] => {
                let typecode = typecode.try_into().map_err(RemoteError::conversion)?;
                Ok((typecode, items))
            }
            _ => Err(no_array(object)),
        },
        _ => Err(no_array(object)),
    }
}

/// The items of an array as a list; a server of the same machine type is taken for granted, as
/// CPython does.
fn numbers(array: &Object) -> Result<Object, RemoteError> {
    let (typecode, items) = parts(array)?;
    let Object::Bytes(bytes) = items else {
        return Ok(items.clone());
    };
    macro_rules! decode {
        ($type:ty) => {
            bytes
                .chunks_exact(size_of::<$type>())
                .map(|item| <$type>::from_ne_bytes(item.try_into().expect("its size")).into())
                .collect()
        };
    }
    let items: Vec<Object> = match typecode {
        "b" => decode!(i8),
        "B" => decode!(u8),
        "h" => decode!(i16),
        "H" => decode!(u16),
        "i" => decode!(i32),
        "I" => decode!(u32),
        "l" => decode!(std::ffi::c_long),
        "L" => decode!(std::ffi::c_ulong),
        "q" => decode!(i64),
        "Q" => decode!(u64),
        "f" => decode!(f32),
        "d" => decode!(f64),
        // Characters, of four bytes each.
        "u" | "w" => {
            let codes = bytes
                .chunks_exact(4)
                .map(|code| u32::from_ne_bytes(code.try_into().expect("its size")));
            codes
                .map(|code| char::from_u32(code).map(Object::from))
                .collect::<Option<_>>()
                .ok_or_else(|| no_array(array))?
        }
        _ => return Err(no_array(array)),
    };
    Ok(items.into())
}
