//! Whether connections are encrypted.

#![cfg_attr(
    not(feature = "pickle"),
    allow(dead_code, unused_imports, reason = "the managers need all of it")
)]

#[cfg(not(feature = "ssl"))]
pub(crate) use self::plain::{Context, Security, Stream};
#[cfg(feature = "ssl")]
pub(crate) use super::tls::{Context, Security, Stream};

/// They never are.
#[cfg(not(feature = "ssl"))]
mod plain {
    use std::convert::Infallible;
    use std::io::IoSlice;
    use std::os::fd::OwnedFd;

    use hilos_core::time::Deadline;

    use crate::connection::reader::Source;
    use crate::connection::{Address, Connection};
    use crate::error::Error;

    /// Nobody has one.
    pub(crate) type Context = Infallible;

    #[derive(Clone, Default, PartialEq)]
    pub(crate) struct Security(());

    impl Security {
        pub(crate) fn server(_: Option<&Context>) -> Result<Self, Error> {
            Ok(Self(()))
        }

        pub(crate) fn client(_: Option<&Context>) -> Result<Self, Error> {
            Ok(Self(()))
        }

        pub(crate) fn is_on(&self) -> bool {
            false
        }

        pub(crate) fn accept(&self, _: &Connection, _: Deadline) -> Result<(), Error> {
            Ok(())
        }

        pub(crate) fn connect(
            &self,
            _: &Connection,
            _: &Address,
            _: Deadline,
        ) -> Result<(), Error> {
            Ok(())
        }
    }

    #[derive(Default)]
    pub(crate) struct Stream(());

    impl Stream {
        pub(crate) fn is_encrypted(&self) -> bool {
            false
        }

        pub(crate) fn has_ahead(&self) -> bool {
            false
        }

        pub(crate) fn read(&self, _: Source<'_>, _: &mut [u8]) -> Result<usize, Error> {
            Err(Error::Eof)
        }

        pub(crate) fn send(&self, _: &OwnedFd, _: &[IoSlice<'_>]) -> Result<usize, Error> {
            Err(Error::Eof)
        }
    }
}
