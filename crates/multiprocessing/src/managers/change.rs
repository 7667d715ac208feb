//! Changes of one value that no other call divides, which CPython's managers do not have.

use hilos_pickle::{Dict, List, Object, Tuple};

use super::args::Args;
use super::exception::Exception;
use super::numbers::whole;
use super::referent::Referent;
use super::referents::{Namespace, Value};

/// Adds to a number: the place and what is added.
pub(super) const INCR: &str = "#INCR";

/// Puts what a function makes of a value there: the place, the function, and its other arguments.
pub(super) const UPDATE: &str = "#UPDATE";

/// What keeps values at places, each of which can be replaced if it is still what it was.
pub(super) trait Places {
    /// The value at a place; `None` where there could be one, and is not.
    fn read(&self, place: &Object) -> Result<Option<Object>, Exception>;

    /// Puts `new` where `current` is; whether that was still there.
    fn replace(&self, place: &Object, current: Option<&Object>, new: Object) -> Changed;

    /// The exception for a place that is empty.
    fn absent(&self, place: &Object) -> Exception {
        hilos_pickle::Error::KeyError(place.clone()).into()
    }
}

type Changed = Result<bool, Exception>;

/// The places of a shared object, if it has any that change so.
pub(super) fn places(referent: &dyn Referent) -> Option<&dyn Places> {
    let referent: &dyn std::any::Any = referent;
    let dict = referent.downcast_ref::<Dict>().map(|it| it as &dyn Places);
    let list = || referent.downcast_ref::<List>().map(|it| it as _);
    let value = || referent.downcast_ref::<Value>().map(|it| it as _);
    let namespace = || referent.downcast_ref::<Namespace>().map(|it| it as _);
    dict.or_else(list).or_else(value).or_else(namespace)
}

/// Adds to the number at a place, which counts as 0 in a dict that does not have it; the sum.
pub(super) fn incr(places: &dyn Places, args: &Args<'_>) -> Result<Object, Exception> {
    let arguments = args.between("incr", (2, 2))?;
    change(places, &arguments[0], |current| match current {
        Some(current) => sum(current, &arguments[1]),
        None => sum(&Object::Int(0), &arguments[1]),
    })
}

/// Calls a function with the value at a place and puts the result there; the result.
pub(super) fn update(places: &dyn Places, args: &Args<'_>) -> Result<Object, Exception> {
    let arguments = args.between("update", (3, 3))?;
    let place = &arguments[0];
    let function = args.callable(&arguments[1])?;
    let others = Tuple::try_from(&arguments[2])?;
    change(places, place, |current| {
        let current = current.ok_or_else(|| places.absent(place))?;
        let all = std::iter::once(current).chain(others.iter());
        function.call(all.cloned(), Dict::new())
    })
}

/// Replaces a value by what `make` makes of it, again until nobody has come between: no lock is held
/// while it does, so that a function that fails, blocks or looks at the object hinders nobody.
fn change(
    places: &dyn Places,
    place: &Object,
    make: impl Fn(Option<&Object>) -> Result<Object, Exception>,
) -> Result<Object, Exception> {
    loop {
        let current = places.read(place)?;
        let new = make(current.as_ref())?;
        if places.replace(place, current.as_ref(), new.clone())? {
            return Ok(new);
        }
    }
}

fn sum(one: &Object, other: &Object) -> Result<Object, Exception> {
    if let (Some(one), Some(other)) = (whole(one), whole(other)) {
        let sum = one.ok().zip(other.ok());
        let sum = sum.and_then(|(one, other)| one.checked_add(other));
        let text = "the sum has more than 128 bits";
        return Ok(sum
            .ok_or_else(|| Exception::new("OverflowError", text))?
            .into());
    }
    let number = |object: &Object| match object {
        Object::Int(_) | Object::Bool(_) | Object::BigInt(_) | Object::Float(_) => {
            f64::try_from(object).ok()
        }
        _ => None,
    };
    match (number(one), number(other)) {
        (Some(one), Some(other)) => Ok((one + other).into()),
        _ => Err(Exception::type_error(format!(
            "unsupported operand type(s) for +=: '{}' and '{}'",
            one.type_name(),
            other.type_name()
        ))),
    }
}

impl Places for Dict {
    fn read(&self, place: &Object) -> Result<Option<Object>, Exception> {
        Ok(self.get(place)?)
    }

    fn replace(&self, place: &Object, current: Option<&Object>, new: Object) -> Changed {
        Ok(self.replace_if(place, current, new)?)
    }
}

impl Places for List {
    fn read(&self, place: &Object) -> Result<Option<Object>, Exception> {
        Ok(Some(self.get(i64::try_from(place)?)?))
    }

    fn replace(&self, place: &Object, current: Option<&Object>, new: Object) -> Changed {
        let index = i64::try_from(place)?;
        let current = current.ok_or_else(|| self.absent(place))?;
        Ok(self.replace_if(index, current, new)?)
    }
}

/// Has one place, whatever that is called.
impl Places for Value {
    fn read(&self, _place: &Object) -> Result<Option<Object>, Exception> {
        Ok(Some(self.get()))
    }

    fn replace(&self, _place: &Object, current: Option<&Object>, new: Object) -> Changed {
        Ok(current.is_some_and(|current| self.replace_if(current, new)))
    }
}

impl Places for Namespace {
    fn read(&self, place: &Object) -> Result<Option<Object>, Exception> {
        let value = self.attributes().get(place)?;
        value.map(Some).ok_or_else(|| self.absent(place))
    }

    fn replace(&self, place: &Object, current: Option<&Object>, new: Object) -> Changed {
        Ok(self.attributes().replace_if(place, current, new)?)
    }
}
