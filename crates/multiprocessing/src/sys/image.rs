//! What a function is called in another process that runs the same program.
//!
//! A function travels as the place of a [`Descriptor`] in the program's image: the distance from
//! the image's beginning, which is the same wherever the system has loaded it.

use std::sync::LazyLock;

use crate::failure::Failure;
use crate::reduction::Message;

/// What stands for a function in the image: made once for each function, never changed.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Descriptor {
    magic: u64,
    name: fn() -> &'static str,
    /// Runs the function on its encoded arguments and encodes what it returns.
    pub(crate) call: Call,
}

/// A function that decodes its arguments, calls the user's function, and says how that ended.
pub(crate) type Call = fn(Message) -> Result<Message, Failure>;

const MAGIC: u64 = 0x6869_6c6f_735f_666e;

impl Descriptor {
    pub(crate) const fn new(name: fn() -> &'static str, call: Call) -> Self {
        Self {
            magic: MAGIC,
            name,
            call,
        }
    }

    /// The name of the function's type, for messages.
    pub(crate) fn name(&self) -> &'static str {
        (self.name)()
    }

    /// The descriptor's distance from the beginning of the image.
    pub(crate) fn offset(&'static self) -> usize {
        std::ptr::from_ref(self).addr().wrapping_sub(IMAGE.base)
    }

    /// The descriptor at a distance from the beginning of the image; `None` if none is there.
    pub(crate) fn at_offset(offset: usize) -> Option<&'static Self> {
        let address = IMAGE.base.checked_add(offset)?;
        let end = address.checked_add(size_of::<Self>())?;
        let inside = IMAGE
            .segments
            .iter()
            .any(|segment| segment.0 <= address && end <= segment.1);
        if !inside || !address.is_multiple_of(align_of::<Self>()) {
            return None;
        }
        let descriptor = std::ptr::with_exposed_provenance::<Self>(address);
        // SAFETY: the place lies whole within a readable segment of this image, which stays mapped,
        // and is aligned; `magic` is an integer, for which any bytes are a value. The reads that
        // follow trust the rest only if the magic number is there, which nothing else in the image
        // holds at an aligned place, as no other constant has this value.
        unsafe {
            match (&raw const (*descriptor).magic).read() {
                MAGIC => Some(&*descriptor),
                _ => None,
            }
        }
    }
}

/// The distance of a piece of code from the beginning of the image.
pub(crate) fn code_offset(address: usize) -> usize {
    address.wrapping_sub(IMAGE.base)
}

/// The address of the code at a distance from the beginning; `None` if no code is there.
pub(crate) fn code_at(offset: usize) -> Option<usize> {
    let address = IMAGE.base.checked_add(offset)?;
    let inside = IMAGE
        .code
        .iter()
        .any(|segment| (segment.0..segment.1).contains(&address));
    inside.then_some(address)
}

/// What tells this program from any other build of it, as far as the system does.
pub(crate) fn identity() -> Option<[u64; 4]> {
    use std::os::unix::fs::MetadataExt;

    // It runs this file to its end; a process that is a copy runs the same.
    static IDENTITY: LazyLock<Option<[u64; 4]>> = LazyLock::new(|| {
        let file = std::fs::metadata("/proc/self/exe").ok()?;
        Some([
            file.dev(),
            file.ino(),
            file.mtime_nsec() as u64 ^ file.mtime() as u64,
            file.size(),
        ])
    });
    *IDENTITY
}

/// Looks up now what later copies of this process would each look up anew.
pub(crate) fn prepare() {
    identity();
    LazyLock::force(&IMAGE);
}

/// The image that holds this code: where it begins, its readable segments and those with code.
#[derive(Default)]
struct Image {
    base: usize,
    segments: Vec<(usize, usize)>,
    code: Vec<(usize, usize)>,
}

static IMAGE: LazyLock<Image> = LazyLock::new(|| {
    let mut image = Image::default();
    // SAFETY: `visit` has the type that is asked for, and `image` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut image).cast()) };
    image
});

/// Keeps the object that contains this very function.
extern "C" fn visit(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    image: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader passes a valid description for the time of the call, and the pointer that
    // `IMAGE` gave it, which nothing else uses meanwhile.
    let (info, image) = unsafe { (&*info, &mut *image.cast::<Image>()) };
    // SAFETY: the loader's table has as many entries as it says.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let base = info.dlpi_addr as usize;
    let with_flag = |flag: u32| -> Vec<(usize, usize)> {
        let loaded = headers
            .iter()
            .filter(|header| header.p_type == libc::PT_LOAD);
        let flagged = loaded.filter(|header| header.p_flags & flag != 0);
        let bounds = flagged.map(|header| {
            let start = base.wrapping_add(header.p_vaddr as usize);
            (start, start + header.p_memsz as usize)
        });
        bounds.collect()
    };
    let code = with_flag(libc::PF_X);
    let here = visit as *const () as usize;
    let found = code
        .iter()
        .any(|segment| (segment.0..segment.1).contains(&here));
    if found {
        *image = Image {
            base,
            segments: with_flag(libc::PF_R),
            code,
        };
    }
    found.into()
}
