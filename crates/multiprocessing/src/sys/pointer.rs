//! A function pointer on its way to another process of the same program.

use super::image;

/// The function's distance from the beginning of the image.
pub(crate) fn to_offset<A, R>(function: fn(A) -> R) -> u64 {
    image::code_offset(function as usize) as u64
}

/// The function at a distance from the beginning of the image; `None` if no code is there.
///
/// # Safety
/// The offset must come from [`to_offset`] for the same types, in a process of the same build.
pub(crate) unsafe fn from_offset<A, R>(offset: u64) -> Option<fn(A) -> R> {
    let address = image::code_at(usize::try_from(offset).ok()?)?;
    let code = std::ptr::with_exposed_provenance::<()>(address);
    // SAFETY: the caller says that a function of this type is at this place of the image, and the
    // place is in a segment that can be run; a function pointer is an address.
    Some(unsafe { std::mem::transmute::<*const (), fn(A) -> R>(code) })
}
