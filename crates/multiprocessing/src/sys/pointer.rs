//! A function pointer on its way to another process of the same program.

use super::image;

/// The distance of the function at `address` from the beginning of the image.
pub(crate) fn to_offset(address: usize) -> u64 {
    image::code_offset(address) as u64
}

/// The function at a distance from the beginning of the image; `None` if no code is there.
///
/// # Safety
/// `F` must be a type of function pointer, and the offset come from [`to_offset`] for a function of
/// this type, in a process of the same build.
pub(crate) unsafe fn from_offset<F: Copy>(offset: u64) -> Option<F> {
    const {
        assert!(
            size_of::<F>() == size_of::<*const ()>(),
            "a function pointer"
        )
    };
    let address = image::code_at(usize::try_from(offset).ok()?)?;
    let code = std::ptr::with_exposed_provenance::<()>(address);
    // SAFETY: the caller says that a function of this type is at this place of the image, and the
    // place is in a segment that can be run; a function pointer is an address.
    Some(unsafe { std::mem::transmute_copy::<*const (), F>(&code) })
}
