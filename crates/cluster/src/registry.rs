//! The functions that workers may be asked to call, by name.
//!
//! Only a name travels: what is not in this list cannot be called, whoever writes to the queue.

use std::any::{TypeId, type_name};
use std::collections::HashMap;

use hilos_multiprocessing::pool::{JobError, PoolFunction};
use hilos_multiprocessing::remote::Callee;
use parking_lot::RwLock;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Default)]
struct Registry {
    callees: HashMap<&'static str, (TypeId, Callee)>,
    names: HashMap<TypeId, &'static str>,
}

static REGISTRY: RwLock<Option<Registry>> = RwLock::new(None);

/// Names functions, so that workers of a cluster can call them.
///
/// Call it at the start of `main`, before anything else and the same way in workers and clients,
/// which are the same program. The name is what stands there, or what is put before it; names must
/// stay the same as long as programs that use them share a queue.
///
/// ```
/// # use hilos_cluster as cluster;
/// fn square(x: i64) -> i64 { x * x }
/// mod text {
///     pub fn length(text: String, factor: usize) -> usize { text.len() * factor }
/// }
///
/// cluster::register!(square, text::length);
/// cluster::register!("double" => |x: i64| 2 * x);
/// ```
///
/// # Panics
/// If another function has the name already.
#[macro_export]
macro_rules! register {
    ($($name:literal => $function:expr),+ $(,)?) => {{
        #[allow(unused_imports, reason = "each function needs one of them")]
        use $crate::registry::{
            Register0 as _, Register1 as _, Register2 as _, Register3 as _, Register4 as _,
            Register5 as _, Register6 as _,
        };
        $($crate::registry::Named($name, $function).register();)+
    }};
    ($($function:path),+ $(,)?) => {{
        #[allow(unused_imports, reason = "each function needs one of them")]
        use $crate::registry::{
            Register0 as _, Register1 as _, Register2 as _, Register3 as _, Register4 as _,
            Register5 as _, Register6 as _,
        };
        $($crate::registry::Named(stringify!($function), $function).register();)+
    }};
}

/// A function and its name.
#[derive(Debug)]
pub struct Named<F>(pub &'static str, pub F);

/// One trait for each number of arguments lets the compiler find out their types.
macro_rules! register {
    ($($trait:ident: $($argument:ident)*;)*) => {$(
        /// Functions of so many arguments.
        pub trait $trait<Args> {
            /// Adds the function.
            fn register(self);
        }

        impl<F, R, $($argument),*> $trait<($($argument,)*)> for Named<F>
        where
            F: Fn($($argument),*) -> R + Copy + Send + Sync + 'static,
            R: Serialize + DeserializeOwned + 'static,
            $($argument: Serialize + DeserializeOwned + 'static,)*
        {
            fn register(self) {
                add::<F, ($($argument,)*)>(self.0, self.1);
            }
        }
    )*};
}
register! {
    Register0: ;
    Register1: A;
    Register2: A B;
    Register3: A B C;
    Register4: A B C D;
    Register5: A B C D E;
    Register6: A B C D E G;
}

fn add<F, A>(name: &'static str, function: F)
where
    F: PoolFunction<A, Output: Serialize>,
    A: Serialize + DeserializeOwned + 'static,
{
    let mut registry = REGISTRY.write();
    let registry = registry.get_or_insert_default();
    let entry = (TypeId::of::<F>(), Callee::typed(function));
    match registry.callees.insert(name, entry) {
        Some((other, _)) if other != TypeId::of::<F>() => {
            panic!("RuntimeError: two functions are registered as {name}")
        }
        _ => registry.names.insert(TypeId::of::<F>(), name),
    };
}

/// The function of a name.
pub(crate) fn find(name: &str) -> Option<Callee> {
    let registry = REGISTRY.read();
    let (_, callee) = registry.as_ref()?.callees.get(name)?;
    Some(*callee)
}

/// The name of a function.
pub(crate) fn name_of<F: 'static>() -> Result<&'static str, JobError> {
    let registry = REGISTRY.read();
    let name = registry
        .as_ref()
        .and_then(|registry| registry.names.get(&TypeId::of::<F>()));
    name.copied().ok_or_else(|| {
        let function = type_name::<F>();
        JobError::Encoding(format!(
            "{function} has no name in the cluster: call hilos::cluster::register!({function}) \
             at the start of main"
        ))
    })
}
