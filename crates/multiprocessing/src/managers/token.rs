//! The names of shared objects, as CPython pickles them.

use std::os::unix::ffi::OsStrExt;

use hilos_pickle::{Bytes, Dict, Error, Global, Instance, Object, Tuple};

use crate::connection::Address;

const MODULE: &str = "multiprocessing.managers";

/// Which object of which manager: what a proxy stands for.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use hilos_pickle::Object;
/// use multiprocessing::managers::Token;
///
/// let token = Token::new("list", ("127.0.0.1", 50000), "7f00");
/// assert_eq!(token.to_string(), "Token(typeid='list', address=('127.0.0.1', 50000), id='7f00')");
/// assert_eq!(Token::try_from(&Object::from(&token))?, token);
/// # Ok::<(), hilos_pickle::Error>(())
/// ```
///
/// Mirrors `multiprocessing.managers.Token`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// The name that the object's type is registered under.
    pub typeid: String,
    /// Where the manager listens.
    pub address: Address,
    /// What tells the object from the manager's others.
    pub id: String,
}

impl Token {
    /// Names an object.
    pub fn new<T, A, I>(typeid: T, address: A, id: I) -> Self
    where
        T: Into<String>,
        A: Into<Address>,
        I: Into<String>,
    {
        Self {
            typeid: typeid.into(),
            address: address.into(),
            id: id.into(),
        }
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            typeid,
            address,
            id,
        } = self;
        write!(f, "Token(typeid='{typeid}', address={address}, id='{id}')")
    }
}

/// What CPython pickles for a token: an object without a call, and its state.
impl From<&Token> for Object {
    fn from(token: &Token) -> Self {
        let state = (
            token.typeid.as_str(),
            address_object(&token.address),
            token.id.as_str(),
        );
        Instance::new_object(Global::new(MODULE, "Token"), Tuple::new())
            .with_state(state)
            .into()
    }
}

impl TryFrom<&Object> for Token {
    type Error = Error;

    fn try_from(object: &Object) -> Result<Self, Error> {
        let complaint = || Error::TypeError(format!("expected Token, got {object:?}"));
        let instance = match object {
            Object::Instance(instance) if instance.is_a(MODULE, "Token") => instance,
            _ => return Err(complaint()),
        };
        let state = instance.state().map(|state| Tuple::try_from(&state));
        let state = state.transpose()?.ok_or_else(complaint)?;
        let [typeid, address, id] = &*state else {
            return Err(complaint());
        };
        Ok(Self {
            typeid: typeid.try_into()?,
            address: address_from(address)?,
            id: id.try_into()?,
        })
    }
}

/// An address as Python writes it: a pair, a path, or a name of bytes that begin with a zero.
pub(crate) fn address_object(address: &Address) -> Object {
    match address {
        Address::Inet(host, port) => (host.as_str(), *port).into(),
        Address::Unix(path) => match path.to_str() {
            Some(path) => path.into(),
            None => Bytes::from(path.as_os_str().as_bytes()).into(),
        },
        Address::Abstract(name) => Bytes::from([b"\0", &name[..]].concat()).into(),
    }
}

/// An address from what Python writes.
pub(crate) fn address_from(object: &Object) -> Result<Address, Error> {
    match object {
        Object::Str(_) => Ok(Address::from(<&str>::try_from(object)?)),
        Object::Bytes(bytes) => Ok(Address::from(&**bytes)),
        Object::Tuple(pair) if pair.len() == 2 => {
            let (host, port) = (<&str>::try_from(&pair[0])?, u16::try_from(&pair[1])?);
            Ok(Address::from((host, port)))
        }
        other => Err(Error::ValueError(format!(
            "address type of {other:?} unrecognized"
        ))),
    }
}

/// A proxy as it travels: CPython's call of `RebuildProxy`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Travelling {
    /// The class of the proxy, or the function that makes one.
    pub(crate) class: Global,
    pub(crate) token: Token,
    /// The methods that the proxy has, if its class does not say.
    pub(crate) exposed: Option<Vec<String>>,
}

impl Travelling {
    /// The proxy that CPython has for objects of this type.
    pub(crate) fn new<I>(token: Token, exposed: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let class = class_of(&token.typeid);
        let auto = class == "AutoProxy";
        Self {
            class: Global::new(MODULE, class),
            token,
            exposed: auto.then(|| exposed.into_iter().map(Into::into).collect()),
        }
    }

    /// Whether an object can be a proxy; a cheap question.
    pub(crate) fn is_proxy(object: &Object) -> bool {
        matches!(object, Object::Instance(instance) if instance.is_a(MODULE, "RebuildProxy"))
    }
}

/// The class in CPython's `managers` that makes proxies for a type.
fn class_of(typeid: &str) -> &'static str {
    match typeid {
        "list" => "ListProxy",
        "dict" => "DictProxy",
        "set" => "SetProxy",
        "Namespace" => "NamespaceProxy",
        "Value" => "ValueProxy",
        "Array" => "ArrayProxy",
        "Lock" | "RLock" | "Semaphore" | "BoundedSemaphore" => "AcquirerProxy",
        "Condition" => "ConditionProxy",
        "Event" => "EventProxy",
        "Barrier" => "BarrierProxy",
        "Iterator" => "IteratorProxy",
        "Pool" => "PoolProxy",
        _ => "AutoProxy",
    }
}

impl From<&Travelling> for Object {
    fn from(proxy: &Travelling) -> Self {
        let kwds = Dict::new();
        if let Some(exposed) = &proxy.exposed {
            let names = exposed.iter().map(|name| Object::from(name.as_str()));
            // A str is a possible key.
            let _ = kwds.insert("exposed", Tuple::from_iter(names));
        }
        let args = (
            proxy.class.clone(),
            &Object::from(&proxy.token),
            "pickle",
            kwds,
        );
        let args = Tuple::try_from(Object::from(args)).unwrap_or_default();
        Instance::reduce(Global::new(MODULE, "RebuildProxy"), args).into()
    }
}

impl TryFrom<&Object> for Travelling {
    type Error = Error;

    fn try_from(object: &Object) -> Result<Self, Error> {
        let complaint = || Error::TypeError(format!("expected a proxy, got {object:?}"));
        let Object::Instance(instance) = object else {
            return Err(complaint());
        };
        let [class, token, _serializer, kwds] = instance.args() else {
            return Err(complaint());
        };
        if !Self::is_proxy(object) {
            return Err(complaint());
        }
        let exposed = match Dict::try_from(kwds)?.get("exposed")? {
            None | Some(Object::None) => None,
            Some(names) => Some(names_from(&names)?),
        };
        Ok(Self {
            class: class.try_into()?,
            token: token.try_into()?,
            exposed,
        })
    }
}

/// A sequence of names.
pub(crate) fn names_from(object: &Object) -> Result<Vec<String>, Error> {
    let names: Vec<Object> = object.try_into()?;
    names.iter().map(String::try_from).collect()
}
