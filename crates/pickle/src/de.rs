//! From objects to serde's values.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::{Dict, Instance, Object, UnpicklingError, handover, ser};

type Result<T> = std::result::Result<T, UnpicklingError>;

/// How deep values may be nested, since making them takes recursion.
const MAX_DEPTH: usize = 128;

/// The value that an object is; see the [crate's page](crate#values) for what becomes what.
///
/// # Errors
///
/// If the object is not such a value, or is nested more than 128 deep.
///
/// ```
/// use hilos_pickle::{Object, from_object};
///
/// let object = Object::from(vec![1, 2, 3]);
/// assert_eq!(from_object::<Vec<u8>>(&object)?, [1, 2, 3]);
/// let error = from_object::<Vec<String>>(&object).unwrap_err();
/// assert_eq!(error.to_string(), "invalid type: integer `1`, expected a string");
/// # Ok::<(), hilos_pickle::UnpicklingError>(())
/// ```
pub fn from_object<T: DeserializeOwned>(object: &Object) -> Result<T> {
    T::deserialize(Deserializer {
        object,
        depth: MAX_DEPTH,
    })
}

#[derive(Clone, Copy)]
struct Deserializer<'o> {
    object: &'o Object,
    /// How much deeper it may go.
    depth: usize,
}

impl<'o> Deserializer<'o> {
    /// What deserializes the objects inside.
    fn inner<'i>(self) -> Result<impl Fn(&'i Object) -> Deserializer<'i>> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(move |object| Deserializer { object, depth }),
            None => Err(UnpicklingError::new("an object is nested too deep")),
        }
    }

    fn sequence<'de, V: Visitor<'de>>(self, items: &[Object], visitor: V) -> Result<V::Value> {
        let mut access = SeqDeserializer::new(items.iter().map(self.inner()?));
        let value = visitor.visit_seq(&mut access)?;
        access.end()?;
        Ok(value)
    }

    fn mapping<'de, V: Visitor<'de>>(self, dict: &Dict, visitor: V) -> Result<V::Value> {
        let (pairs, inner) = (dict.items(), self.inner()?);
        let pairs = pairs.iter().map(|(key, value)| (inner(key), inner(value)));
        let mut access = MapDeserializer::new(pairs);
        let value = visitor.visit_map(&mut access)?;
        access.end()?;
        Ok(value)
    }

    /// What an instance of the named class holds; any instance will do for a name without a dot.
    fn instance(self, name: &str) -> Result<Option<&'o Instance>> {
        match (self.object, ser::class(name)) {
            (Object::Instance(instance), None) => Ok(Some(instance)),
            (Object::Instance(instance), Some(class)) if instance.class() == Some(&class) => {
                Ok(Some(instance))
            }
            (other, Some(_)) => {
                let complaint = format!("expected {name}, got {}", describe(other));
                Err(UnpicklingError::new(complaint))
            }
            (_, None) => Ok(None),
        }
    }

    fn unexpected<'de, V: Visitor<'de>>(self, visitor: &V) -> UnpicklingError {
        let found = describe(self.object);
        de::Error::invalid_type(de::Unexpected::Other(&found), visitor)
    }
}

fn describe(object: &Object) -> String {
    match object {
        Object::Instance(instance) => match instance.class() {
            Some(class) => format!("an object of {class}"),
            None => "an object".to_owned(),
        },
        Object::Global(global) => format!("the class {global}"),
        other => format!("a {}", other.type_name()),
    }
}

impl<'de> IntoDeserializer<'de, UnpicklingError> for Deserializer<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for Deserializer<'_> {
    type Error = UnpicklingError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.object {
            Object::None => visitor.visit_unit(),
            Object::Bool(bool) => visitor.visit_bool(*bool),
            Object::Int(int) => visitor.visit_i64(*int),
            Object::BigInt(_) => match (u64::try_from(self.object), i128::try_from(self.object)) {
                (Ok(int), _) => visitor.visit_u64(int),
                (_, Ok(int)) => visitor.visit_i128(int),
                _ => visitor.visit_u128(u128::try_from(self.object)?),
            },
            Object::Float(float) => visitor.visit_f64(*float),
            Object::Str(text) => match text.as_str() {
                Some(text) => visitor.visit_str(text),
                None => Err(UnpicklingError::new("a str holds a lone surrogate")),
            },
            Object::Bytes(bytes) => visitor.visit_bytes(bytes),
            Object::ByteArray(bytes) => visitor.visit_bytes(&bytes.to_vec()),
            Object::List(list) => self.sequence(&list.to_vec(), visitor),
            Object::Tuple(tuple) => self.sequence(tuple, visitor),
            Object::Set(set) => self.sequence(&set.to_vec(), visitor),
            Object::FrozenSet(set) => {
                self.sequence(&set.iter().cloned().collect::<Vec<_>>(), visitor)
            }
            Object::Dict(dict) => self.mapping(dict, visitor),
            Object::Global(_) | Object::Instance(_) => Err(self.unexpected(&visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit seq map
        identifier ignored_any
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    /// Any number, as Python's `float` takes it.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.object {
            Object::Int(_) | Object::BigInt(_) => visitor.visit_f64(f64::try_from(self.object)?),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.object {
            Object::None => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &str, visitor: V) -> Result<V::Value> {
        match (self.object, ser::class(name)) {
            (Object::Global(global), Some(class)) if *global == class => visitor.visit_unit(),
            (Object::None, None) => visitor.visit_unit(),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &str,
        visitor: V,
    ) -> Result<V::Value> {
        if name == handover::TOKEN {
            return handover::give(self.object.clone(), || visitor.visit_unit());
        }
        match self.instance(name)?.map(Instance::args) {
            Some([only]) => visitor.visit_newtype_struct(self.inner()?(only)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        match self.instance(name)? {
            Some(instance) => self.sequence(instance.args(), visitor),
            None => self.deserialize_any(visitor),
        }
    }

    /// A dict, or an instance whose state is one.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &str,
        _: &[&str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.instance(name)?.map(Instance::state) {
            Some(Some(Object::Dict(state))) => self.mapping(&state, visitor),
            Some(_) => Err(self.unexpected(&visitor)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &str,
        _: &[&str],
        visitor: V,
    ) -> Result<V::Value> {
        let parts = match self.object {
            Object::Str(_) => vec![self.object.clone()],
            Object::Dict(dict) if dict.len() == 1 => dict
                .items()
                .into_iter()
                .flat_map(<[Object; 2]>::from)
                .collect(),
            Object::Tuple(tuple) => tuple.to_vec(),
            Object::List(list) => list.to_vec(),
            _ => Vec::new(),
        };
        let inner = self.inner()?;
        match &*parts {
            [name] => visitor.visit_enum(Variant {
                name: inner(name),
                value: None,
            }),
            [name, value] => visitor.visit_enum(Variant {
                name: inner(name),
                value: Some(inner(value)),
            }),
            _ => Err(self.unexpected(&visitor)),
        }
    }
}

/// A variant's name, and what it holds if that is anything.
struct Variant<'o> {
    name: Deserializer<'o>,
    value: Option<Deserializer<'o>>,
}

impl<'o> Variant<'o> {
    fn value(self) -> Result<Deserializer<'o>> {
        self.value
            .ok_or_else(|| UnpicklingError::new("a variant lacks its value"))
    }
}

impl<'de> de::EnumAccess<'de> for Variant<'_> {
    type Error = UnpicklingError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let name = seed.deserialize(self.name)?;
        Ok((name, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_> {
    type Error = UnpicklingError;

    fn unit_variant(self) -> Result<()> {
        match self.value.map(|value| value.object) {
            None | Some(Object::None) => Ok(()),
            Some(_) => Err(UnpicklingError::new(
                "a variant has a value that it should not have",
            )),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        de::Deserializer::deserialize_tuple(self.value()?, length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        de::Deserializer::deserialize_map(self.value()?, visitor)
    }
}
