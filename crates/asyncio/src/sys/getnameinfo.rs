//! The names of an address and its port.

use std::ffi::{CStr, c_char};
use std::io;
use std::net::SocketAddr;

use socket2::SockAddr;

/// The longest names that the system knows, with the zero byte after them.
const HOST: usize = 1025;
const SERVICE: usize = 32;

/// Why the lookup failed: a number of the system's resolver, and its words.
pub(crate) struct Failure(pub(crate) i32, pub(crate) String);

/// Looks up the names of `address`; `flags` are the system's.
pub(crate) fn getnameinfo(address: SocketAddr, flags: i32) -> Result<(String, String), Failure> {
    let address = SockAddr::from(address);
    let mut host = [0 as c_char; HOST];
    let mut service = [0 as c_char; SERVICE];
    // SAFETY: `address` is an address of the length it says; both buffers are writable and as long
    // as is said, and the call keeps none of the pointers.
    let code = unsafe {
        libc::getnameinfo(
            address.as_ptr().cast(),
            address.len(),
            host.as_mut_ptr(),
            HOST as libc::socklen_t,
            service.as_mut_ptr(),
            SERVICE as libc::socklen_t,
            flags,
        )
    };
    match code {
        0 => Ok((text(&host), text(&service))),
        libc::EAI_SYSTEM => Err(Failure(code, io::Error::last_os_error().to_string())),
        _ => Err(Failure(code, reason(code))),
    }
}

/// The text in `buffer`, up to its zero byte.
fn text(buffer: &[c_char]) -> String {
    let bytes: Vec<u8> = buffer.iter().map(|&byte| byte as u8).collect();
    let text = CStr::from_bytes_until_nul(&bytes).unwrap_or_default();
    text.to_string_lossy().into_owned()
}

fn reason(code: i32) -> String {
    // SAFETY: the call takes any number, and returns a text that ends in a zero byte and is never
    // freed or changed.
    let reason = unsafe { CStr::from_ptr(libc::gai_strerror(code)) };
    reason.to_string_lossy().into_owned()
}

/// The number of the resolver's failure that has these words.
pub(crate) fn number_of(words: &str) -> i32 {
    let mut numbers = libc::EAI_OVERFLOW..=libc::EAI_BADFLAGS;
    let known = numbers.find(|&code| reason(code) == words);
    known.unwrap_or(libc::EAI_FAIL)
}
