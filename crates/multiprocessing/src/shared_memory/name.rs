//! What a block is called.

use std::error::Error as StdError;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::PathBuf;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Where Linux keeps the blocks: the place that the C library's `shm_open` looks at.
const DIRECTORY: &str = "/dev/shm";

/// A name without a slash, so that it means a file in the directory of blocks and no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(String);

impl Name {
    /// Takes a name as a user writes it, with or without slashes before it.
    pub(crate) fn new(name: &str) -> Result<Self, Error> {
        if name.contains('\0') {
            return Err(Error::Value("embedded null character".into()));
        }
        let bare = Self(name.trim_start_matches('/').to_owned());
        if bare.0.is_empty() || bare.0.contains('/') {
            return Err(bare.failed(Errno::EINVAL.into()));
        }
        Ok(bare)
    }

    /// A name such as CPython makes up.
    pub(crate) fn random() -> Self {
        Self(format!("psm_{:08x}", random() as u32))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(DIRECTORY).join(&self.0)
    }

    /// A refusal of the system's, with the name of what was refused.
    pub(crate) fn failed(&self, error: io::Error) -> Error {
        let name = self.0.clone();
        io::Error::new(error.kind(), Failed { name, error }).into()
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        Self::new(&name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number that is another one each time, also in copies of one process.
pub(crate) fn random() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}

/// The directory in which a block without a name is made.
pub(crate) fn directory() -> &'static str {
    DIRECTORY
}

/// A refusal of the system's, in Python's words.
#[derive(Debug)]
struct Failed {
    name: String,
    error: io::Error,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, error } = self;
        match error.raw_os_error() {
            Some(number) => {
                let reason = Errno::from_raw(number).desc();
                write!(f, "[Errno {number}] {reason}: '/{name}'")
            }
            None => write!(f, "{error}: '/{name}'"),
        }
    }
}

impl StdError for Failed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}
