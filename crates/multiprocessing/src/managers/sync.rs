//! `multiprocessing.managers.SyncManager` and `multiprocessing.Manager`.

use std::fmt;
use std::ops::{Deref, DerefMut};

use hilos_core::time::Timeout;

use super::base::BaseManager;
use super::referents;
use crate::connection::Address;
use crate::error::Error;
use crate::start_method::StartMethod;

/// A [`BaseManager`] that knows Python's types: dicts, lists, queues, locks and others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::Process;
/// use multiprocessing::managers::DictProxy;
///
/// fn f(d: DictProxy<i64, String>) -> Result<(), multiprocessing::managers::RemoteError> {
///     d.insert(1, "1".to_string())?;
///     Ok(())
/// }
///
/// let manager = multiprocessing::manager()?;
/// let d = manager.dict_of::<i64, String>()?;
/// let process = Process::new(f, (d.clone(),));
/// process.start()?;
/// process.join(None)?;
/// assert_eq!(d.to_string(), "{1: '1'}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Mirrors [`multiprocessing.managers.SyncManager`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager).
pub struct SyncManager(BaseManager);

/// Starts a manager: Python's `multiprocessing.Manager()`.
///
/// # Errors
/// Those of [`BaseManager::start`].
///
/// Mirrors [`multiprocessing.Manager`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Manager).
pub fn manager() -> Result<SyncManager, Error> {
    let manager = SyncManager::new();
    manager.start()?;
    Ok(manager)
}

impl SyncManager {
    /// A manager as [`BaseManager::new`] makes it, with Python's types.
    pub fn new() -> Self {
        let mut base = BaseManager::new();
        base.name = "SyncManager";
        base.types.add(|types, ()| referents::register(types), ());
        Self(base)
    }

    /// As [`BaseManager::with_address`].
    #[must_use]
    pub fn with_address<A: Into<Address>>(self, address: A) -> Self {
        self.map(|base| base.with_address(address))
    }

    /// As [`BaseManager::with_authkey`].
    #[must_use]
    pub fn with_authkey(self, authkey: &[u8]) -> Self {
        self.map(|base| base.with_authkey(authkey))
    }

    /// As [`BaseManager::with_md5`].
    #[must_use]
    pub fn with_md5(self, allowed: bool) -> Self {
        self.map(|base| base.with_md5(allowed))
    }

    /// As [`BaseManager::with_start_method`].
    #[must_use]
    pub fn with_start_method(self, method: StartMethod) -> Self {
        self.map(|base| base.with_start_method(method))
    }

    /// As [`BaseManager::with_shutdown_timeout`].
    #[must_use]
    pub fn with_shutdown_timeout<T: Into<Timeout>>(self, timeout: T) -> Self {
        self.map(|base| base.with_shutdown_timeout(timeout))
    }

    /// As [`BaseManager::with_ssl`].
    #[cfg(feature = "ssl")]
    #[must_use]
    pub fn with_ssl(self, context: &hilos_ssl::SslContext) -> Self {
        self.map(|base| base.with_ssl(context))
    }

    fn map(self, change: impl FnOnce(BaseManager) -> BaseManager) -> Self {
        Self(change(self.0))
    }
}

impl Deref for SyncManager {
    type Target = BaseManager;

    fn deref(&self) -> &BaseManager {
        &self.0
    }
}

impl DerefMut for SyncManager {
    fn deref_mut(&mut self) -> &mut BaseManager {
        &mut self.0
    }
}

impl Default for SyncManager {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SyncManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
