//! Two processes prove to each other that they know the same key, without telling it.
//!
//! Each sends the other a challenge, 40 random bytes after the name of a digest, and gets back a
//! code that only the key makes of them. CPython before 3.12 names no digest and uses MD5.

use std::time::Duration;

use hilos_core::time::Deadline;
use hmac::digest::block_api::BlockSizeUser;
use hmac::{KeyInit, Mac, SimpleHmac};

use super::Connection;
use super::credentials::Md5;
use crate::current::random_bytes;
use crate::error::Error;

const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";
const FAILURE: &[u8] = b"#FAILURE#";

/// No message of the handshake is longer.
const LONGEST: usize = 256;
/// A challenge of CPython before 3.12 has this length, and no other.
const LEGACY_CHALLENGE: usize = 20;
/// An answer of CPython before 3.12, or to it.
const LEGACY_ANSWER: usize = 16;
/// The names of digests, in the order of [`Digest`].
const NAMES: [&[u8]; 5] = [b"md5", b"sha256", b"sha384", b"sha3_256", b"sha3_384"];

/// How a code is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Md5,
    Sha256,
    Sha384,
    Sha3_256,
    Sha3_384,
}

const DIGESTS: [Digest; 5] = [
    Digest::Md5,
    Digest::Sha256,
    Digest::Sha384,
    Digest::Sha3_256,
    Digest::Sha3_384,
];

/// Does the same with the code of any digest.
macro_rules! with_code {
    ($digest:expr, $key:expr, $message:expr, |$code:ident| $body:expr) => {
        match $digest {
            Digest::Md5 => {
                let $code = code::<md5::Md5>($key, $message);
                $body
            }
            Digest::Sha256 => {
                let $code = code::<sha2::Sha256>($key, $message);
                $body
            }
            Digest::Sha384 => {
                let $code = code::<sha2::Sha384>($key, $message);
                $body
            }
            Digest::Sha3_256 => {
                let $code = code::<sha3::Sha3_256>($key, $message);
                $body
            }
            Digest::Sha3_384 => {
                let $code = code::<sha3::Sha3_384>($key, $message);
                $body
            }
        }
    };
}

fn code<D: hmac::digest::Digest + BlockSizeUser>(key: &[u8], message: &[u8]) -> SimpleHmac<D> {
    let mut code = <SimpleHmac<D> as KeyInit>::new_from_slice(key).expect("keys have any length");
    code.update(message);
    code
}

impl Digest {
    fn make(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        with_code!(self, key, message, |code| code
            .finalize()
            .into_bytes()
            .to_vec())
    }

    /// In constant time.
    fn check(self, key: &[u8], message: &[u8], expected: &[u8]) -> bool {
        with_code!(self, key, message, |code| code
            .verify_slice(expected)
            .is_ok())
    }

    /// The digest that a message names at its beginning, and what follows.
    fn named(message: &[u8]) -> Option<(Self, &[u8])> {
        let rest = message.strip_prefix(b"{")?;
        let end = rest.iter().take(10).position(|&byte| byte == b'}')?;
        let place = NAMES.iter().position(|name| *name == &rest[..end])?;
        Some((DIGESTS[place], &rest[end + 1..]))
    }
}

/// How long the other side may take for its part of the handshake.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a challenge and checks the answer; Python's `deliver_challenge`.
///
/// # Errors
/// [`Error::Authentication`] if the other side does not know the key: it has been told so, and
/// nothing else. [`Error::Timeout`] if it has not answered in 30 seconds.
///
/// # Blocking
/// For 30 seconds at most.
///
/// Mirrors [`multiprocessing.connection.deliver_challenge`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.connection.deliver_challenge).
pub fn deliver_challenge(connection: &Connection, authkey: &[u8]) -> Result<(), Error> {
    deliver(connection, authkey, Md5::Allowed, Deadline::after(PATIENCE))
}

/// Answers a challenge, and hears whether the answer was right; Python's `answer_challenge`.
///
/// # Errors
/// [`Error::Authentication`] if the other side sends no challenge, or says that the answer is wrong;
/// [`Error::Timeout`] if it has not answered in 30 seconds.
///
/// # Blocking
/// For 30 seconds at most.
///
/// Mirrors [`multiprocessing.connection.answer_challenge`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.connection.answer_challenge).
pub fn answer_challenge(connection: &Connection, authkey: &[u8]) -> Result<(), Error> {
    answer(connection, authkey, Md5::Allowed, Deadline::after(PATIENCE))
}

pub(super) fn deliver(
    connection: &Connection,
    authkey: &[u8],
    md5: Md5,
    deadline: Deadline,
) -> Result<(), Error> {
    let message = [b"{sha256}", &random_bytes::<40>()[..]].concat();
    connection.send_bytes(&[CHALLENGE, &message].concat())?;
    let response = connection.recv_bytes_until(LONGEST, deadline)?;
    match verify(authkey, &message, &response, md5) {
        Ok(()) => connection.send_bytes(WELCOME),
        Err(error) => {
            connection.send_bytes(FAILURE)?;
            Err(error)
        }
    }
}

pub(super) fn answer(
    connection: &Connection,
    authkey: &[u8],
    md5: Md5,
    deadline: Deadline,
) -> Result<(), Error> {
    let message = connection.recv_bytes_until(LONGEST, deadline)?;
    let challenge = message.strip_prefix(CHALLENGE);
    let challenge = challenge.ok_or_else(|| refused("Protocol error, expected challenge"))?;
    connection.send_bytes(&respond(authkey, challenge, md5)?)?;
    match &connection.recv_bytes_until(LONGEST, deadline)?[..] {
        WELCOME => Ok(()),
        _ => Err(refused("digest sent was rejected")),
    }
}

fn refused(text: &str) -> Error {
    Error::Authentication(text.into())
}

/// The answer to a challenge: by SHA-256 if it wants MD5 and that is refused.
fn respond(authkey: &[u8], challenge: &[u8], md5: Md5) -> Result<Vec<u8>, Error> {
    let legacy = challenge.len() == LEGACY_CHALLENGE;
    let digest = match challenge.len() {
        ..LEGACY_CHALLENGE => return Err(refused("challenge too short")),
        LEGACY_CHALLENGE => Digest::Md5,
        _ => {
            Digest::named(challenge)
                .ok_or_else(|| refused(UNSUPPORTED))?
                .0
        }
    };
    let digest = match (digest, md5) {
        (Digest::Md5, Md5::Refused) => Digest::Sha256,
        (Digest::Md5, Md5::Allowed) if legacy => return Ok(digest.make(authkey, challenge)),
        _ => digest,
    };
    let name = NAMES[digest as usize];
    // The code is of the whole message, so that nobody can exchange the digest.
    Ok([b"{", name, b"}", &digest.make(authkey, challenge)].concat())
}

const UNSUPPORTED: &str =
    "unsupported message length, missing digest prefix, or unsupported digest";

fn verify(authkey: &[u8], message: &[u8], response: &[u8], md5: Md5) -> Result<(), Error> {
    let legacy = [LEGACY_ANSWER, LEGACY_CHALLENGE].contains(&response.len());
    let (digest, code) = match legacy {
        true => (Digest::Md5, response),
        false => Digest::named(response).ok_or_else(|| refused(UNSUPPORTED))?,
    };
    if digest == Digest::Md5 && md5 == Md5::Refused {
        return Err(refused("the answer is by MD5, which is refused here"));
    }
    match digest.check(authkey, message, code) {
        true => Ok(()),
        false => Err(refused("digest received was wrong")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        hex.as_bytes().chunks(2).map(byte).collect()
    }

    #[test]
    fn answers_are_cpython_s() {
        for line in include_str!("handshake.tsv").lines() {
            let fields: Vec<_> = line.split('\t').map(bytes).collect();
            let [key, challenge, answer] = &fields[..] else {
                panic!("three fields: {line}")
            };
            verify(key, challenge, answer, Md5::Allowed).unwrap();
            assert!(verify(b"another key", challenge, answer, Md5::Allowed).is_err());
            // CPython before 3.12 answers a challenge of today in its own way.
            if challenge.len() == LEGACY_CHALLENGE || answer.len() > LEGACY_CHALLENGE {
                assert_eq!(respond(key, challenge, Md5::Allowed).unwrap(), *answer);
            }
        }
    }

    #[test]
    fn md5_is_refused_by_itself_alone() {
        for line in include_str!("handshake.tsv").lines() {
            let fields: Vec<_> = line.split('\t').map(bytes).collect();
            let by_md5 = fields[2].len() <= LEGACY_CHALLENGE || fields[2].starts_with(b"{md5}");
            let verified = verify(&fields[0], &fields[1], &fields[2], Md5::Refused);
            assert_eq!(verified.is_err(), by_md5, "{line}");
        }
        for challenge in [&[7; 20][..], b"{md5}01234567890123456789"] {
            let answer = respond(b"key", challenge, Md5::Refused).unwrap();
            assert!(answer.starts_with(b"{sha256}"));
            verify(b"key", challenge, &answer, Md5::Refused).unwrap();
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for challenge in [
            &b""[..],
            b"short",
            &[b'x'; 21],
            b"{sha1}0123456789012345678901234567890",
        ] {
            assert!(respond(b"key", challenge, Md5::Allowed).is_err());
        }
        for response in [
            &b""[..],
            b"{",
            b"{sha256}",
            b"{sha256",
            &[0; 16],
            &[0; 20],
            &[0xff; 256],
        ] {
            assert!(verify(b"key", b"{sha256}challenge", response, Md5::Allowed).is_err());
        }
    }
}
