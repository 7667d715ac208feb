//! How Python prints its objects.

use std::any::type_name;
use std::fmt;

/// Where `object` is, as Python prints it: `0x7f30a8c2d140`.
pub(crate) fn address<T: ?Sized>(object: &T) -> impl fmt::Display {
    let address = std::ptr::from_ref(object).cast::<()>().addr();
    fmt::from_fn(move |f| write!(f, "{address:#x}"))
}

/// The name of a function by its type, as Python's `__qualname__` has it: `main.<locals>.<lambda>`
/// for a closure in `main`.
pub(crate) fn function_name<F: ?Sized>() -> &'static str {
    let path = type_name::<F>();
    path.split('<').next().unwrap_or(path)
}

/// What [`function_name`] shows, with closures called as Python calls its own.
pub(crate) fn qualified(path: &str) -> String {
    let names: Vec<_> = path
        .split("::")
        .filter(|name| *name != "{{closure}}")
        .collect();
    let name = names.last().copied().unwrap_or(path);
    match path.ends_with("{{closure}}") {
        true => format!("{name}.<locals>.<lambda>"),
        false => name.to_owned(),
    }
}

/// Python prints one text for `str` and `repr` of these objects; so do `Display` and `Debug`.
macro_rules! debug_like_display {
    ($type:ident $(<$($generics:ident),*>)?) => {
        impl $(<$($generics: 'static),*>)? std::fmt::Debug for $type $(<$($generics),*>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}
pub(crate) use debug_like_display;
