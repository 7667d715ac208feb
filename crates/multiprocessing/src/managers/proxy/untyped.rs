//! A proxy of any object.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hilos_core::time::{Deadline, Timeout};
use hilos_pickle::{Dict, Object, Tuple};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{self, Answer};
use super::arguments::{arguments, keywords};
use super::error::RemoteError;
use super::link;
use super::nested;
use super::reference::Reference;
use super::server::Server;
use super::shape::Shape;
use crate::managers::message::{Request, encode, encode_call};
use crate::managers::token::{Token, Travelling};

/// How long a print may wait for what the object says of itself.
const GLANCE: Duration = Duration::from_secs(10);

/// Stands for an object in a manager's process: calling its methods calls the object's.
///
/// Use it for objects of a program's own types; those of a manager's have a proxy each that knows
/// their methods, such as [`DictProxy`](super::DictProxy). A handle: clones are the same object, and
/// the object lives until the last proxy of it is dropped, in whatever process. A proxy goes to
/// another process as an argument or through a queue, and into the containers of a manager as
/// an item; the one who sends it has to keep it until it has arrived.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
///
/// let manager = multiprocessing::manager()?;
/// let list = manager.create("list", ([3, 1],))?;
/// list.call("append", (2,))?;
/// list.call("sort", ())?;
/// let least: i64 = list.call_as("__getitem__", (0,))?;
/// assert_eq!(least, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Blocking
/// A call waits until the server has answered, for ever if the method does, or for as long as
/// [`with_timeout`](Self::with_timeout) says. Each thread has a connection of its own with a server,
/// and a lock that it has acquired there belongs to the connection.
///
/// # Differences from Python
/// - Arguments are a tuple; `()` is none.
/// - After a fork the child's use of a proxy counts from its first call on, in Python from the fork
///   on: keep the object until then.
/// - A proxy knows the key of its manager also where it has come from another process.
/// - `str(proxy)` is `Display`, which asks the object, and `repr(proxy)` is `Debug`.
///
/// Mirrors [`multiprocessing.managers.BaseProxy`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.BaseProxy).
#[derive(Clone)]
pub struct Proxy {
    reference: Arc<Reference>,
    patience: Timeout,
}

/// What a method returned.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A copy of the result.
    Value(Object),
    /// A proxy of the result, which stays with the server.
    Proxy(Proxy),
}

impl Proxy {
    /// A proxy of an object that the server has counted a reference of for it.
    pub(super) fn counted(
        server: Arc<Server>,
        token: Token,
        exposed: Vec<String>,
        patience: Timeout,
    ) -> Self {
        let description = Travelling::new(token, exposed);
        Self {
            reference: Reference::counted(server, description),
            patience,
        }
    }

    /// A proxy of an object that somebody else keeps until the server has counted this one.
    pub(super) fn heard_of(
        server: Arc<Server>,
        description: Travelling,
        patience: Timeout,
    ) -> Result<Self, RemoteError> {
        let reference = Reference::count(server, description, patience.deadline())?;
        Ok(Self {
            reference,
            patience,
        })
    }

    /// The same object, whose server has to answer each call within `timeout`; `None` lets it take
    /// as long as it likes.
    ///
    /// A method that waits for something itself, such as `get`, is given as much time for that.
    /// A call that is not answered in time is an error, [`RemoteError::Unanswered`], and the
    /// connection is closed.
    #[must_use]
    pub fn with_timeout<T: Into<Timeout>>(&self, timeout: T) -> Self {
        Self {
            reference: self.reference.clone(),
            patience: timeout.into(),
        }
    }

    /// Calls a method and returns a copy of its result.
    ///
    /// # Errors
    /// What the method raised, or what else went wrong; [`RemoteError::Conversion`] if the result
    /// stays with the server: [`call_proxy`](Self::call_proxy) is for those.
    pub fn call<A: Serialize>(&self, method: &str, args: A) -> Result<Object, RemoteError> {
        self.value(method, args, self.patience.deadline())
    }

    /// Calls a method and returns its result as a value of Rust.
    ///
    /// # Errors
    /// As [`call`](Self::call), and [`RemoteError::Conversion`] if the result is no `R`.
    pub fn call_as<R, A>(&self, method: &str, args: A) -> Result<R, RemoteError>
    where
        R: DeserializeOwned,
        A: Serialize,
    {
        self.fetch(method, args, self.patience.deadline())
    }

    /// Calls a method whose result stays with the server, and returns a proxy of it.
    ///
    /// # Errors
    /// As [`call`](Self::call); [`RemoteError::Conversion`] if it returns a copy.
    pub fn call_proxy<A: Serialize>(&self, method: &str, args: A) -> Result<Self, RemoteError> {
        match self.request(&self.message(method, &args)?, self.patience.deadline())? {
            Reply::Proxy(proxy) => Ok(proxy),
            Reply::Value(value) => Err(RemoteError::conversion(format_args!(
                "expected a proxy, got {value:?}"
            ))),
        }
    }

    /// Calls a method with keyword arguments, a map, a struct or `()`; the result is what it is.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_with<A, K>(&self, method: &str, args: A, kwargs: K) -> Result<Reply, RemoteError>
    where
        A: Serialize,
        K: Serialize,
    {
        let message = self.message_with(method, &args, keywords(&kwargs)?)?;
        self.request(&message, self.patience.deadline())
    }

    /// A copy of the object itself; Python's `_getvalue`.
    ///
    /// # Errors
    /// As [`call`](Self::call); the server cannot copy an object that cannot be pickled.
    pub fn get_value(&self) -> Result<Object, RemoteError> {
        self.call("#GETVALUE", ())
    }

    /// The object's name.
    pub fn token(&self) -> &Token {
        &self.reference.description.token
    }

    /// Whether both are proxies of the same object.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reference, &other.reference) || self.token() == other.token()
    }

    /// The proxy that an object is, which came among the items of a container.
    ///
    /// What was taken out of a container, by `pop` say, may be gone after this thread's next call: make
    /// it a proxy before. A container with proxies for its type, such as
    /// `ListProxy<ListProxy<i64>>`, does so itself.
    ///
    /// # Errors
    /// [`RemoteError::Conversion`] if it is none; otherwise as [`call`](Self::call), because the
    /// server is told of it.
    pub fn from_object(object: &Object) -> Result<Self, RemoteError> {
        nested::arrive(object)
    }

    /// The object that a container holds for the proxy.
    pub fn to_object(&self) -> Object {
        Object::from(&self.reference.description)
    }

    pub(super) fn description(&self) -> &Travelling {
        &self.reference.description
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.reference.server
    }

    pub(super) fn patience(&self) -> Timeout {
        self.patience
    }

    pub(super) fn value<A: Serialize>(
        &self,
        method: &str,
        args: A,
        deadline: Deadline,
    ) -> Result<Object, RemoteError> {
        match self.request(&self.message(method, &args)?, deadline)? {
            Reply::Value(value) => Ok(value),
            Reply::Proxy(proxy) => Err(RemoteError::conversion(format_args!(
                "expected a value, got {proxy:?}"
            ))),
        }
    }

    pub(super) fn fetch<R, A>(
        &self,
        method: &str,
        args: A,
        deadline: Deadline,
    ) -> Result<R, RemoteError>
    where
        R: DeserializeOwned,
        A: Serialize,
    {
        let value = self.value(method, args, deadline)?;
        self.convert(&value)
    }

    /// A value of this object's, in which there may be proxies.
    pub(super) fn convert<R: DeserializeOwned>(&self, value: &Object) -> Result<R, RemoteError> {
        nested::convert(value, self.server(), self.patience)
    }

    /// How long a method of the object's may wait that can be told, and when its answer is due.
    pub(super) fn waiting(&self, timeout: Timeout) -> (Option<f64>, Deadline) {
        let patience = self.patience.seconds();
        let wait = timeout.seconds().or(patience);
        let due = patience.map(|patience| patience.max(0.0) + wait.unwrap_or(0.0).max(0.0));
        (
            wait,
            due.map_or(Deadline::NEVER, |due| Timeout::from(due).deadline()),
        )
    }

    /// The bytes of a call.
    fn message<A: Serialize>(&self, method: &str, args: &A) -> Result<Vec<u8>, RemoteError> {
        let ident = self.reference.id();
        match Shape::of(args) {
            Shape::Tuple => Ok(encode_call(ident, method, args)?),
            Shape::Unit => Ok(encode_call(ident, method, &Object::from(Tuple::new()))?),
            Shape::Other => self.message_with(method, args, Dict::new()),
        }
    }

    fn message_with<A: Serialize>(
        &self,
        method: &str,
        args: &A,
        kwds: Dict,
    ) -> Result<Vec<u8>, RemoteError> {
        Ok(encode(&Request {
            ident: Some(self.reference.id().into()),
            method: method.into(),
            args: arguments(args)?,
            kwds,
        })?)
    }

    fn request(&self, message: &[u8], deadline: Deadline) -> Result<Reply, RemoteError> {
        let pid = self.reference.ensure(deadline)?;
        let server = self.server();
        let reply = link::call(server, pid, message, deadline)?;
        let answer = answer::decode(&reply).map_err(|error| self.reference.explain(error))?;
        Ok(match answer {
            Answer::Value(value) => Reply::Value(value),
            Answer::Proxy(exposed, token) => {
                let patience = self.patience;
                Reply::Proxy(Self::counted(server.clone(), token, exposed, patience))
            }
        })
    }
}

/// What Python's `str` gives: how the object shows itself, or else the proxy.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patience = match self.patience.seconds() {
            None => Timeout::from(GLANCE),
            Some(_) => self.patience,
        };
        match self.value("__repr__", (), patience.deadline()) {
            Ok(text) => text.fmt(f),
            Err(_) => self.describe("; '__str__()' failed", f),
        }
    }
}

impl Proxy {
    fn describe(&self, more: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Travelling { class, token, .. } = self.description();
        let name = match class.is("multiprocessing.managers", "AutoProxy") {
            true => format!("AutoProxy[{}]", token.typeid),
            false => class.name().to_string(),
        };
        let (typeid, id) = (&token.typeid, &token.id);
        write!(f, "<{name} object, typeid '{typeid}' at 0x{id}{more}>")
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe("", f)
    }
}
