//! How Python prints its objects.

use std::fmt;

/// Where `object` is, as Python prints it: `0x7f30a8c2d140`.
pub(crate) fn address<T: ?Sized>(object: &T) -> impl fmt::Display {
    let address = std::ptr::from_ref(object).cast::<()>().addr();
    fmt::from_fn(move |f| write!(f, "{address:#x}"))
}

/// `locked` or `unlocked`.
pub(crate) fn lock_state(locked: bool) -> &'static str {
    if locked { "locked" } else { "unlocked" }
}

/// Python prints one text for `str` and `repr` of these objects; so do `Display` and `Debug`.
macro_rules! debug_like_display {
    ($type:ty) => {
        debug_like_display!($type,);
    };
    ($type:ty, $($generics:tt)*) => {
        impl<$($generics)*> std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}
pub(crate) use debug_like_display;
