//! What a manager is asked and what it replies, as CPython pickles both.

use hilos_pickle::{Dict, Error, Object, PicklingError, Str, Tuple, UnpicklingError};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::token::{Token, names_from};

/// The oldest protocol that every CPython of today sends and reads.
const PROTOCOL: u8 = 4;

/// A call of a function of the server, or of a method of one of its objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    /// The object, if it is one's method.
    pub(crate) ident: Option<Str>,
    pub(crate) method: Str,
    pub(crate) args: Tuple,
    pub(crate) kwds: Dict,
}

impl Request {
    /// A call with arguments in their order alone.
    pub(crate) fn new<A>(method: &str, args: A) -> Self
    where
        A: IntoIterator<Item = Object>,
    {
        Self {
            ident: None,
            method: method.into(),
            args: args.into_iter().collect(),
            kwds: Dict::new(),
        }
    }

    /// The name of the object; nothing if there is none, or none that an object has.
    pub(crate) fn ident(&self) -> &str {
        let ident = self.ident.as_ref();
        ident.and_then(Str::as_str).unwrap_or_default()
    }

    pub(crate) fn method(&self) -> &str {
        self.method.as_str().unwrap_or_default()
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ident = Object::from(self.ident.clone().map(Object::Str));
        let method = self.method.clone();
        let whole = (ident, method, self.args.clone(), self.kwds.clone());
        Object::from(whole).serialize(serializer)
    }
}

/// No keyword arguments.
struct NoKeywords;

impl Serialize for NoKeywords {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }
}

/// The bytes of a call of a method with arguments that serialise as a tuple, as nearly all calls are:
/// no object is made on the way.
pub(crate) fn encode_call<A: Serialize>(
    ident: &str,
    method: &str,
    args: &A,
) -> Result<Vec<u8>, PicklingError> {
    hilos_pickle::dumps_with_protocol(&(ident, method, args, NoKeywords), PROTOCOL)
}

/// The items of any sequence, of a tuple without a copy.
fn parts(object: Object) -> Result<Vec<Object>, Error> {
    match object {
        Object::Tuple(tuple) => Ok(tuple.into()),
        other => other.try_into(),
    }
}

/// A name, which is no text with half a character.
fn name(object: Object) -> Result<Str, Error> {
    <&str>::try_from(&object)?;
    match object {
        Object::Str(text) => Ok(text),
        other => Str::try_from(&other),
    }
}

impl TryFrom<Object> for Request {
    type Error = Error;

    fn try_from(object: Object) -> Result<Self, Error> {
        let parts = <[Object; 4]>::try_from(parts(object)?);
        let [ident, method, args, kwds] = parts.map_err(|parts| {
            let (count, wanted) = (parts.len(), "expected 4");
            Error::ValueError(match count {
                0..4 => format!("not enough values to unpack ({wanted}, got {count})"),
                _ => format!("too many values to unpack ({wanted}, got {count})"),
            })
        })?;
        Ok(Self {
            ident: match ident {
                Object::None => None,
                ident => Some(name(ident)?),
            },
            method: name(method)?,
            args: match args {
                Object::Tuple(args) => args,
                args => Vec::<Object>::try_from(args)?.into(),
            },
            kwds: kwds.try_into()?,
        })
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    /// What the method returned.
    Return(Object),
    /// The exception that the method raised.
    Error(Object),
    /// What the server says when it cannot do it: CPython's text of an exception and its way.
    Traceback(String),
    /// What the server says when what the method returned cannot be pickled.
    Unserializable(String),
    /// The method returned an object that stays with the server.
    Proxy {
        /// The methods that the object has.
        exposed: Vec<String>,
        /// The object's name.
        token: Token,
    },
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Return(value) => ("#RETURN", value).serialize(serializer),
            Self::Error(exception) => ("#ERROR", exception).serialize(serializer),
            Self::Traceback(text) => ("#TRACEBACK", text).serialize(serializer),
            Self::Unserializable(text) => ("#UNSERIALIZABLE", text).serialize(serializer),
            Self::Proxy { exposed, token } => {
                let names = exposed.iter().map(|name| Object::from(name.as_str()));
                let value = (Object::from(Tuple::from_iter(names)), Object::from(token));
                ("#PROXY", value).serialize(serializer)
            }
        }
    }
}

impl TryFrom<Object> for Reply {
    type Error = Error;

    fn try_from(object: Object) -> Result<Self, Error> {
        let parts = <[Object; 2]>::try_from(parts(object)?);
        let [kind, value] = parts.map_err(|parts| {
            Error::ValueError(format!("not a reply: {:?}", Object::from(parts)))
        })?;
        Ok(match <&str>::try_from(&kind)? {
            "#RETURN" => Self::Return(value),
            "#ERROR" => Self::Error(value),
            "#TRACEBACK" => Self::Traceback(value.try_into()?),
            "#UNSERIALIZABLE" => Self::Unserializable(value.try_into()?),
            "#PROXY" => {
                let pair: Vec<Object> = (&value).try_into()?;
                let [exposed, token] = &pair[..] else {
                    return Err(Error::ValueError(format!("not a proxy: {value:?}")));
                };
                Self::Proxy {
                    exposed: names_from(exposed)?,
                    token: token.try_into()?,
                }
            }
            other => {
                let complaint = format!("Unrecognized message type '{other}'");
                return Err(Error::ValueError(complaint));
            }
        })
    }
}

/// A message's bytes.
pub(crate) fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, PicklingError> {
    hilos_pickle::dumps_with_protocol(message, PROTOCOL)
}

/// A message from its bytes.
pub(crate) fn decode<T>(bytes: &[u8]) -> Result<T, UnpicklingError>
where
    T: TryFrom<Object, Error = Error>,
{
    let object: Object = hilos_pickle::loads(bytes)?;
    Ok(T::try_from(object)?)
}
