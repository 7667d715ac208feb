//! Whom the loop asks for the addresses of a host.

use std::future::Future as StdFuture;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::getaddrinfo::{AddressFamily, Lookup};

type Found = Pin<Box<dyn StdFuture<Output = Result<Vec<SocketAddr>>>>>;

/// The program's own way to look up addresses.
pub(crate) type Resolver = Rc<dyn Fn(Lookup) -> Found>;

impl EventLoop {
    /// Has `resolver` look up the addresses that connections, servers and datagrams go to, instead
    /// of the system.
    ///
    /// It gets the host, `None` for this machine, the port and the family. Addresses that need no
    /// lookup never come to it. It may call [`getaddrinfo`](Self::getaddrinfo), which asks the
    /// system. Programs in Python override the method of that name for this.
    ///
    /// ```
    /// use hilos_asyncio as asyncio;
    /// use asyncio::AddressFamily;
    ///
    /// asyncio::run(async {
    ///     let event_loop = asyncio::get_running_loop()?;
    ///     event_loop.set_resolver(async |_host, port, _family: AddressFamily| {
    ///         Ok(vec![([127, 0, 0, 1], port).into()])
    ///     });
    ///     let server = asyncio::start_server(async |_, writer| {
    ///         writer.write("hello")?;
    ///         writer.close();
    ///         Ok(())
    ///     }, "127.0.0.1", 0).await?;
    ///     let port = server.sockets()[0].getsockname()?.port().unwrap_or_default();
    ///     let (reader, writer) = asyncio::open_connection("any.name", port).await?;
    ///     assert_eq!(reader.read_to_end().await?, b"hello");
    ///     writer.close();
    ///     server.close();
    ///     Ok(())
    /// })?;
    /// # Ok::<(), asyncio::Exception>(())
    /// ```
    pub fn set_resolver<F>(&self, resolver: F)
    where
        F: AsyncFn(Option<String>, u16, AddressFamily) -> Result<Vec<SocketAddr>> + 'static,
    {
        let resolver = Rc::new(resolver);
        let resolver: Resolver = Rc::new(move |lookup| {
            let resolver = resolver.clone();
            Box::pin(async move { resolver(lookup.host, lookup.port, lookup.family).await })
        });
        let old = self.0.resolver.replace(Some(resolver));
        drop(old);
    }

    /// Has the system look up addresses again.
    pub fn reset_resolver(&self) {
        let old = self.0.resolver.take();
        drop(old);
    }

    /// The addresses that `lookup` finds, without a thread where there is nothing to look up.
    pub(crate) async fn resolve(&self, lookup: Lookup) -> Result<Vec<SocketAddr>> {
        if let Some(address) = lookup.literal() {
            return Ok(vec![address]);
        }
        let resolver = self.0.resolver.borrow().clone();
        match resolver {
            Some(resolver) => resolver(lookup).await,
            None => self.look_up(lookup).await,
        }
    }

    /// As [`resolve`](Self::resolve), of which none is an error.
    pub(crate) async fn resolve_some(&self, lookup: Lookup) -> Result<Vec<SocketAddr>> {
        let found = self.resolve(lookup).await?;
        match found.is_empty() {
            true => Err(Exception::new(
                "OSError",
                "getaddrinfo() returned empty list",
            )),
            false => Ok(found),
        }
    }
}
