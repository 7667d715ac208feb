//! The key that two programs prove to each other to know.

use std::env;
use std::fmt;
use std::fs::{File, Metadata};
use std::hint::black_box;
use std::io::Read;
use std::ops::Deref;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::Error;

/// Where [`AuthenticationString::from_env`] looks for the key.
const VARIABLE: &str = "HILOS_AUTHKEY";
/// Where it looks for the path of a file with the key.
const FILE_VARIABLE: &str = "HILOS_AUTHKEY_FILE";

/// A key that is never printed, and wiped from memory when it is dropped.
///
/// Use it for a key that comes from outside of the program, where it need not stand in its source or on
/// its command line, which others can read. It is a slice of bytes, for whatever takes a key.
///
/// ```
/// use std::os::unix::fs::OpenOptionsExt;
/// use std::io::Write;
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::AuthenticationString;
/// use multiprocessing::connection::Listener;
///
/// # let path = std::env::temp_dir().join(format!("key-{}", std::process::id()));
/// let mut options = std::fs::OpenOptions::new();
/// options.write(true).create_new(true).mode(0o600).open(&path)?.write_all(b"secret\n")?;
///
/// let authkey = AuthenticationString::from_file(&path)?;
/// # std::fs::remove_file(&path)?;
/// assert_eq!(*authkey, *b"secret");
/// assert_eq!(format!("{authkey:?}"), "<AuthenticationString>");
/// let listener = Listener::new(None)?.with_authkey(&authkey);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Differences from Python
/// - Python's is printed as the bytes that it is.
/// - [`from_env`](Self::from_env) and [`from_file`](Self::from_file), which Python leaves to its users.
///
/// Mirrors [`multiprocessing.process.AuthenticationString`](https://docs.python.org/3.14/library/multiprocessing.html#authentication-keys).
#[derive(Clone, PartialEq, Eq)]
pub struct AuthenticationString(Vec<u8>);

impl AuthenticationString {
    /// A key of these bytes.
    pub fn new<B: Into<Vec<u8>>>(bytes: B) -> Self {
        Self(bytes.into())
    }

    /// The key in the variable `HILOS_AUTHKEY` of the environment, or else in the file that
    /// `HILOS_AUTHKEY_FILE` names.
    ///
    /// Whoever can read a program's memory can read its environment, and so can its children.
    ///
    /// # Errors
    /// [`Error::Value`] if neither is set or the key is empty, and those of
    /// [`from_file`](Self::from_file).
    pub fn from_env() -> Result<Self, Error> {
        match (env::var_os(VARIABLE), env::var_os(FILE_VARIABLE)) {
            (Some(key), _) => Self::checked(key.into_vec(), &VARIABLE),
            (None, Some(path)) => Self::from_file(path),
            (None, None) => {
                let text = format!("neither {VARIABLE} nor {FILE_VARIABLE} is set");
                Err(Error::Value(text))
            }
        }
    }

    /// The key in a file that only this user can read, without the end of its line.
    ///
    /// # Errors
    /// [`Error::Permission`] if others can read or write the file, which says what to do;
    /// [`Error::Os`] if it cannot be read, [`Error::Value`] if it is empty.
    pub fn from_file<P: AsRef<Path>>(path: P) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut file = File::open(path)?;
        // Of the file that is open: nobody exchanges it between the look at it and the reading.
        check_private(path, &file.metadata()?)?;
        let mut key = Self(Vec::new());
        file.read_to_end(&mut key.0)?;
        let end = key.0.strip_suffix(b"\n").unwrap_or(&key.0);
        let end = end.strip_suffix(b"\r").unwrap_or(end).len();
        key.0.truncate(end);
        Self::checked(std::mem::take(&mut key.0), &path.display())
    }

    fn checked(key: Vec<u8>, place: &dyn fmt::Display) -> Result<Self, Error> {
        match key.is_empty() {
            true => Err(Error::Value(format!("the key in {place} is empty"))),
            false => Ok(Self(key)),
        }
    }
}

/// Refuses a file that others can read, or could have written.
fn check_private(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    let (path, mode, owner) = (path.display(), metadata.mode() & 0o7777, metadata.uid());
    let me = nix::unistd::geteuid();
    if mode & 0o077 != 0 {
        return Err(Error::Permission(format!(
            "others can use the key in '{path}', whose mode is {mode:03o}: make a new key, and run \
             `chmod 600 '{path}'` before it is written"
        )));
    }
    if owner != me.as_raw() && owner != 0 {
        return Err(Error::Permission(format!(
            "the key in '{path}' is user {owner}'s: run `chown {me} '{path}'` if you trust it"
        )));
    }
    Ok(())
}

impl Deref for AuthenticationString {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for AuthenticationString {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for AuthenticationString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<AuthenticationString>")
    }
}

impl Drop for AuthenticationString {
    fn drop(&mut self) {
        self.0.fill(0);
        // The compiler may not take it for unused.
        black_box(&self.0);
    }
}

/// How a key goes to a process that this one has started, and to no other.
pub(crate) mod to_child {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AuthenticationString;

    pub(crate) fn serialize<S: Serializer>(
        key: &AuthenticationString,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        key.0.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<AuthenticationString, D::Error> {
        Vec::deserialize(deserializer).map(AuthenticationString)
    }
}
