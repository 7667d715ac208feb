//! `multiprocessing.managers.PoolProxy`.

use hilos_core::time::Timeout;
use hilos_pickle::Global;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::RemoteError;
use super::iterator::IteratorProxy;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// A pool of worker processes that a manager's process has.
    ///
    /// Use it to have a Python program's functions called where they are: a function is a name, such
    /// as `Global::new("math", "factorial")`, that the server can import.
    ///
    /// ```no_run
    /// use hilos_multiprocessing as multiprocessing;
    /// use hilos_pickle::Global;
    /// use multiprocessing::managers::RemoteManager;
    ///
    /// let manager = RemoteManager::connect(("localhost", 50000), b"secret")?;
    /// let pool = manager.pool(4)?;
    /// let factorial = Global::new("math", "factorial");
    /// let results: Vec<u64> = pool.map(&factorial, 0..5)?;
    /// assert_eq!(results, [1, 1, 2, 6, 24]);
    /// # Ok::<(), multiprocessing::managers::RemoteError>(())
    /// ```
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager)'s `Pool`.
    PoolProxy<>
}

typed_proxy! {
    /// A result that a pool of a manager's process is to have.
    ///
    /// Mirrors [`multiprocessing.pool.AsyncResult`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.pool.AsyncResult).
    AsyncResultProxy<R>
}

/// The methods of a pool; each fails as [`Proxy::call`](super::Proxy::call) does.
impl PoolProxy {
    /// Calls a function in a worker and waits for its result.
    ///
    /// # Errors
    /// What the function raised.
    pub fn apply<R, A>(&self, function: &Global, args: A) -> Result<R, RemoteError>
    where
        R: DeserializeOwned,
        A: Serialize,
    {
        self.proxy.call_as("apply", (object(function), args))
    }

    /// Like [`apply`](Self::apply), with arguments by name: a struct, or a map of names.
    ///
    /// # Errors
    /// What the function raised.
    pub fn apply_with<R, A, K>(&self, function: &Global, args: A, kwds: K) -> Result<R, RemoteError>
    where
        R: DeserializeOwned,
        A: Serialize,
        K: Serialize,
    {
        let arguments = (object(function), args, kwds);
        self.proxy.call_as("apply", arguments)
    }

    /// Has a worker call a function.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn apply_async<R, A>(
        &self,
        function: &Global,
        args: A,
    ) -> Result<AsyncResultProxy<R>, RemoteError>
    where
        A: Serialize,
    {
        let result = self
            .proxy
            .call_proxy("apply_async", (object(function), args));
        result.map(Into::into)
    }

    /// Calls a function with each item and waits for the results.
    ///
    /// # Errors
    /// What the function raised.
    pub fn map<R, I>(&self, function: &Global, items: I) -> Result<Vec<R>, RemoteError>
    where
        R: DeserializeOwned,
        I: IntoIterator<Item: Serialize>,
    {
        self.proxy.call_as("map", each(function, items))
    }

    /// Has workers call a function with each item.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn map_async<R, I>(
        &self,
        function: &Global,
        items: I,
    ) -> Result<AsyncResultProxy<Vec<R>>, RemoteError>
    where
        I: IntoIterator<Item: Serialize>,
    {
        let result = self.proxy.call_proxy("map_async", each(function, items));
        result.map(Into::into)
    }

    /// Calls a function with each tuple of arguments and waits for the results.
    ///
    /// # Errors
    /// What the function raised.
    pub fn starmap<R, I>(&self, function: &Global, items: I) -> Result<Vec<R>, RemoteError>
    where
        R: DeserializeOwned,
        I: IntoIterator<Item: Serialize>,
    {
        self.proxy.call_as("starmap", each(function, items))
    }

    /// Has workers call a function with each tuple of arguments.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn starmap_async<R, I>(
        &self,
        function: &Global,
        items: I,
    ) -> Result<AsyncResultProxy<Vec<R>>, RemoteError>
    where
        I: IntoIterator<Item: Serialize>,
    {
        let result = self
            .proxy
            .call_proxy("starmap_async", each(function, items));
        result.map(Into::into)
    }

    /// Has workers call a function with each item; the results come in the items' order.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn imap<R, I>(&self, function: &Global, items: I) -> Result<IteratorProxy<R>, RemoteError>
    where
        I: IntoIterator<Item: Serialize>,
    {
        let results = self.proxy.call_proxy("imap", each(function, items));
        results.map(Into::into)
    }

    /// Has workers call a function with each item; the results come as they are ready.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn imap_unordered<R, I>(
        &self,
        function: &Global,
        items: I,
    ) -> Result<IteratorProxy<R>, RemoteError>
    where
        I: IntoIterator<Item: Serialize>,
    {
        let results = self
            .proxy
            .call_proxy("imap_unordered", each(function, items));
        results.map(Into::into)
    }

    /// Lets the pool take no more work.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn close(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("close", ())
    }

    /// Ends the workers at once.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn terminate(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("terminate", ())
    }

    /// Waits until the workers of a closed or terminated pool have ended.
    ///
    /// # Errors
    /// [`RemoteError::Value`] if the pool still takes work.
    pub fn join(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("join", ())
    }
}

/// The methods of a result; each fails as [`Proxy::call`](super::Proxy::call) does.
impl<R: Item> AsyncResultProxy<R> {
    /// Waits for the result and returns a copy.
    ///
    /// # Errors
    /// [`RemoteError::Timeout`] when `timeout` has passed before; what the function raised.
    pub fn get<D: Into<Timeout>>(&self, timeout: D) -> Result<R, RemoteError> {
        let (wait, deadline) = self.proxy.waiting(timeout.into());
        self.proxy.fetch("get", (wait,), deadline)
    }

    /// Waits until the result is there, or `timeout` has passed.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn wait<D: Into<Timeout>>(&self, timeout: D) -> Result<(), RemoteError> {
        let (wait, deadline) = self.proxy.waiting(timeout.into());
        self.proxy.fetch("wait", (wait,), deadline)
    }

    /// Whether the result is there.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn ready(&self) -> Result<bool, RemoteError> {
        self.proxy.call_as("ready", ())
    }

    /// Whether the function raised nothing.
    ///
    /// # Errors
    /// [`RemoteError::Value`] if the result is not there yet.
    pub fn successful(&self) -> Result<bool, RemoteError> {
        self.proxy.call_as("successful", ())
    }
}

fn object(function: &Global) -> hilos_pickle::Object {
    function.clone().into()
}

/// A function and the items that it is called with.
fn each<I>(function: &Global, items: I) -> (hilos_pickle::Object, Vec<I::Item>)
where
    I: IntoIterator<Item: Serialize>,
{
    (object(function), items.into_iter().collect())
}
