//! What a manager is asked and what it replies, as CPython pickles both.

use std::sync::LazyLock;

use hilos_pickle::{Dict, Error, Object, PicklingError, Str, Tuple, UnpicklingError};

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

impl From<&Request> for Object {
    fn from(request: &Request) -> Self {
        let ident = Self::from(request.ident.clone().map(Self::Str));
        let method = request.method.clone();
        (ident, method, request.args.clone(), request.kwds.clone()).into()
    }
}

/// The items of any sequence, of a tuple without a copy.
fn parts(object: Object) -> Result<Vec<Object>, Error> {
    match object {
        Object::Tuple(tuple) => Ok(tuple.into()),
        other => other.try_into(),
    }
}

/// A name, which is no text with half a character.
fn name(object: &Object) -> Result<Str, Error> {
    <&str>::try_from(object)?;
    Str::try_from(object)
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
                ident => Some(name(&ident)?),
            },
            method: name(&method)?,
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

/// What nearly all replies begin with.
static RETURN: LazyLock<Str> = LazyLock::new(|| Str::from("#RETURN"));

impl From<&Reply> for Object {
    fn from(reply: &Reply) -> Self {
        match reply {
            Reply::Return(value) => (RETURN.clone(), value).into(),
            Reply::Error(exception) => ("#ERROR", exception).into(),
            Reply::Traceback(text) => ("#TRACEBACK", text.as_str()).into(),
            Reply::Unserializable(text) => ("#UNSERIALIZABLE", text.as_str()).into(),
            Reply::Proxy { exposed, token } => {
                let names = exposed.iter().map(|name| Self::from(name.as_str()));
                let value = (Tuple::from_iter(names), &Self::from(token));
                ("#PROXY", Self::from(value)).into()
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
pub(crate) fn encode<T: Into<Object>>(message: T) -> Result<Vec<u8>, PicklingError> {
    hilos_pickle::dumps_with_protocol(&message.into(), PROTOCOL)
}

/// A message from its bytes.
pub(crate) fn decode<T>(bytes: &[u8]) -> Result<T, UnpicklingError>
where
    T: TryFrom<Object, Error = Error>,
{
    let object: Object = hilos_pickle::loads(bytes)?;
    Ok(T::try_from(object)?)
}
