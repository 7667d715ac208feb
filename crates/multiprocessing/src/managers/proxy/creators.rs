//! The objects that every manager can make: the types of `SyncManager`.

use hilos_pickle::{Global, Object};

use super::acquirer::AcquirerProxy;
use super::array::ArrayProxy;
use super::barrier::BarrierProxy;
use super::condition::ConditionProxy;
use super::dict::DictProxy;
use super::error::RemoteError;
use super::event::EventProxy;
use super::list::ListProxy;
use super::namespace::NamespaceProxy;
use super::pool::PoolProxy;
use super::queue::{JoinableQueueProxy, QueueProxy};
use super::remote::RemoteManager;
use super::set::SetProxy;
use super::typed::Item;
use super::value::ValueProxy;

/// Makers of types that need no arguments.
macro_rules! makers {
    ($($(#[$doc:meta])* $name:ident: $typeid:literal -> $proxy:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`RemoteError::Connection`] if the server is gone.
        pub fn $name(&self) -> Result<$proxy, RemoteError> {
            self.create($typeid, ()).map(Into::into)
        }
    )*};
}

impl RemoteManager {
    makers! {
        /// Makes an empty dict of Python's objects.
        dict: "dict" -> DictProxy;
        /// Makes a namespace without names.
        namespace: "Namespace" -> NamespaceProxy;
        /// Makes a lock.
        lock: "Lock" -> AcquirerProxy;
        /// Makes a lock that its holder can acquire again.
        rlock: "RLock" -> AcquirerProxy;
        /// Makes a condition with an `RLock` of its own.
        condition: "Condition" -> ConditionProxy;
        /// Makes an event that is not set.
        event: "Event" -> EventProxy;
    }

    /// Makes an empty dict of these types.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone.
    pub fn dict_of<K: Item, V: Item>(&self) -> Result<DictProxy<K, V>, RemoteError> {
        self.create("dict", ()).map(Into::into)
    }

    /// Makes a dict of these pairs.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if a key is not hashable.
    pub fn dict_from<K, V, I>(&self, pairs: I) -> Result<DictProxy<K, V>, RemoteError>
    where
        K: Item,
        V: Item,
        I: IntoIterator<Item = (K, V)>,
    {
        let pairs: Vec<(K, V)> = pairs.into_iter().collect();
        self.create("dict", (pairs,)).map(Into::into)
    }

    /// Makes a list of these items.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone.
    pub fn list<I>(&self, items: I) -> Result<ListProxy<I::Item>, RemoteError>
    where
        I: IntoIterator<Item: Item>,
    {
        let items: Vec<I::Item> = items.into_iter().collect();
        self.create("list", (items,)).map(Into::into)
    }

    /// Makes an empty list of this type.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone.
    pub fn list_of<T: Item>(&self) -> Result<ListProxy<T>, RemoteError> {
        self.create("list", ()).map(Into::into)
    }

    /// Makes a set of these items, in a server of Python 3.14 or later.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if an item is not hashable, or if the server has no sets.
    pub fn set<I>(&self, items: I) -> Result<SetProxy<I::Item>, RemoteError>
    where
        I: IntoIterator<Item: Item>,
    {
        let items: Vec<I::Item> = items.into_iter().collect();
        self.create("set", (items,)).map(Into::into)
    }

    /// Makes a value; what the `typecode` says, such as `"i"`, is not checked.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone.
    pub fn value<T: Item>(&self, typecode: &str, value: T) -> Result<ValueProxy<T>, RemoteError> {
        self.create("Value", (typecode, value)).map(Into::into)
    }

    /// Makes an array of numbers of the type that Python's `array` has this code for.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if a number does not fit.
    pub fn array<I>(&self, typecode: &str, items: I) -> Result<ArrayProxy<I::Item>, RemoteError>
    where
        I: IntoIterator<Item: Item>,
    {
        let items: Vec<I::Item> = items.into_iter().collect();
        self.create("Array", (typecode, items)).map(Into::into)
    }

    /// Makes a semaphore that can be acquired `value` times.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone.
    pub fn semaphore(&self, value: usize) -> Result<AcquirerProxy, RemoteError> {
        self.create("Semaphore", (value,)).map(Into::into)
    }

    /// Makes a semaphore that is not released more often than it is acquired.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone.
    pub fn bounded_semaphore(&self, value: usize) -> Result<AcquirerProxy, RemoteError> {
        self.create("BoundedSemaphore", (value,)).map(Into::into)
    }

    /// Makes a condition with a lock that the manager has.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if the lock is another manager's.
    pub fn condition_with(&self, lock: &AcquirerProxy) -> Result<ConditionProxy, RemoteError> {
        self.create("Condition", (lock,)).map(Into::into)
    }

    /// Makes a barrier for so many.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if it is for nobody.
    pub fn barrier(&self, parties: usize) -> Result<BarrierProxy, RemoteError> {
        self.create("Barrier", (parties,)).map(Into::into)
    }

    /// Makes a barrier for so many, at which the last one has the server call an action, a function that it knows by
    /// name, before all go on.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if it is for nobody, or if the server does not know the function.
    pub fn barrier_with_action(
        &self,
        parties: usize,
        action: &Global,
    ) -> Result<BarrierProxy, RemoteError> {
        let action = Object::from(action.clone());
        self.create("Barrier", (parties, action)).map(Into::into)
    }

    /// Makes a queue for up to `maxsize` items, or for any number if that is 0.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone.
    pub fn queue<T: Item>(&self, maxsize: usize) -> Result<QueueProxy<T>, RemoteError> {
        self.create("Queue", (maxsize,)).map(Into::into)
    }

    /// Makes a queue whose items are tasks.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone.
    pub fn joinable_queue<T: Item>(
        &self,
        maxsize: usize,
    ) -> Result<JoinableQueueProxy<T>, RemoteError> {
        self.create("JoinableQueue", (maxsize,)).map(Into::into)
    }

    /// Makes a pool of so many worker processes.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if the server has no pools.
    pub fn pool(&self, processes: usize) -> Result<PoolProxy, RemoteError> {
        self.create("Pool", (processes,)).map(Into::into)
    }
}
