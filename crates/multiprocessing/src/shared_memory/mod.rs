//! Memory with a name, which other programs open: Python's `multiprocessing.shared_memory`.
//!
//! Names, sizes and bytes are those of CPython 3.9 and later, so that a Python program opens what
//! this one has created, and the other way round.
//!
//! | Python | here |
//! |---|---|
//! | `SharedMemory(create=True, size=512)` | [`SharedMemory::create(512)`](SharedMemory::create) |
//! | `SharedMemory("name", create=True, size=512)` | [`SharedMemory::create_named("name", 512)`](SharedMemory::create_named) |
//! | `SharedMemory("name")` | [`SharedMemory::open("name")`](SharedMemory::open) |
//! | `shm.buf[:4] = b"abcd"` | [`shm.write(0, b"abcd")`](SharedMemory::write) |
//! | `ShareableList([1, "two"])` | [`ShareableList::new([Item::from(1), "two".into()])`](ShareableList::new) |
//!
//! A block lives until somebody calls [`unlink`](SharedMemory::unlink). What a program forgets to
//! unlink, or cannot because it is killed, goes when the program and all its processes have ended:
//! [`resource_tracker`](crate::resource_tracker) tells how.

mod block;
mod buffer;
pub(crate) mod file;
mod item;
mod layout;
mod name;
mod shareable_list;

pub use block::SharedMemory;
pub use buffer::Buffer;
pub use item::Item;
pub use shareable_list::ShareableList;

pub(crate) use name::{Name, random};
