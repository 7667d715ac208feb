//! What all proxies that know their object's methods have in common.

/// Defines a proxy with type parameters for its items, and fields of its own that begin as defaults.
macro_rules! typed_proxy {
    (
        $(#[$attribute:meta])* $name:ident<$($item:ident),*>
        $({ $($(#[$note:meta])* $field:ident: $type:ty,)* })?
    ) => {
        $(#[$attribute])*
        pub struct $name<$($item = hilos_pickle::Object),*> {
            proxy: $crate::managers::proxy::Proxy,
            #[allow(unused_parens, reason = "a tuple where there are two")]
            items: std::marker::PhantomData<fn($($item),*) -> ($($item),*)>,
            $($($(#[$note])* $field: $type,)*)?
        }

        impl<$($item),*> $name<$($item),*> {
            /// The same object, whose server has to answer each call within `timeout`; see
            /// [`Proxy::with_timeout`](crate::managers::Proxy::with_timeout).
            #[must_use]
            pub fn with_timeout<D: Into<hilos_core::time::Timeout>>(&self, timeout: D) -> Self {
                self.proxy.with_timeout(timeout).into()
            }

            /// The proxy without types, for methods that this one does not know.
            pub fn proxy(&self) -> &$crate::managers::proxy::Proxy {
                &self.proxy
            }
        }

        /// Whether the object is of the type is seen when a method is called.
        impl<$($item),*> From<$crate::managers::proxy::Proxy> for $name<$($item),*> {
            fn from(proxy: $crate::managers::proxy::Proxy) -> Self {
                Self {
                    proxy,
                    items: std::marker::PhantomData,
                    $($($field: Default::default(),)*)?
                }
            }
        }

        impl<$($item),*> From<$name<$($item),*>> for $crate::managers::proxy::Proxy {
            fn from(typed: $name<$($item),*>) -> Self {
                typed.proxy
            }
        }

        /// As an item of a container of Python's objects.
        impl<$($item),*> From<&$name<$($item),*>> for hilos_pickle::Object {
            fn from(typed: &$name<$($item),*>) -> Self {
                typed.proxy.to_object()
            }
        }

        impl<$($item),*> Clone for $name<$($item),*> {
            fn clone(&self) -> Self {
                self.proxy.clone().into()
            }
        }

        /// What Python's `str` gives: how the object shows itself.
        impl<$($item),*> std::fmt::Display for $name<$($item),*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.proxy, f)
            }
        }

        impl<$($item),*> std::fmt::Debug for $name<$($item),*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.proxy, f)
            }
        }

        impl<$($item),*> serde::Serialize for $name<$($item),*> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.proxy.serialize(serializer)
            }
        }

        impl<'de, $($item),*> serde::Deserialize<'de> for $name<$($item),*> {
            fn deserialize<De: serde::Deserializer<'de>>(from: De) -> Result<Self, De::Error> {
                $crate::managers::proxy::Proxy::deserialize(from).map(Self::from)
            }
        }
    };
}
pub(super) use typed_proxy;

/// What can be an item of a shared container: any type that serde writes and reads, proxies among
/// them.
pub trait Item: serde::Serialize + serde::de::DeserializeOwned {}

impl<T: serde::Serialize + serde::de::DeserializeOwned> Item for T {}
