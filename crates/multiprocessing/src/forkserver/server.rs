//! What the fork server does.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use hilos_core::panic::catch;
use hilos_core::process::exit_now;
use nix::sys::socket::{MsgFlags, Shutdown, shutdown};
use nix::unistd::getpid;

use super::preload::Preload;
use crate::reduction::{dumps, loads};
use crate::sys::clone_parent::clone_parent;
use crate::sys::fds;
use crate::sys::image;
use crate::sys::interrupt::{self, Before};
use crate::sys::pidfd::{PidFd, readable_before};
use crate::sys::spawn::duplicate_onto;
use crate::{children, life};
use crate::{resource_tracker, spawn};

/// Makes processes until the one that asks for them is gone.
pub(crate) fn serve(control: OwnedFd) -> ! {
    let mut preload = [0; 9];
    match fds::receive(control.as_fd(), &mut preload, &mut Vec::new()) {
        Ok(9) if Preload::run(preload) => {}
        _ => exit_now(1),
    }
    // Whoever interrupts the program at its terminal does not mean the server.
    let interrupt = interrupt::ignore();
    close_standard_streams();
    rehearse();
    let Ok(server) = PidFd::open(getpid()) else {
        exit_now(1)
    };
    while let Some(orders) = request(&control) {
        // SAFETY: this process has had one thread since its start: nothing here makes another.
        let answer = match unsafe { clone_parent() } {
            Ok(None) => {
                drop(control);
                become_process(orders, server, &interrupt)
            }
            Ok(Some(pid)) => pid.as_raw(),
            Err(error) => -error.raw_os_error().unwrap_or(nix::libc::EIO),
        };
        let answer = answer.to_le_bytes();
        if fds::send(control.as_fd(), &answer, &[], MsgFlags::empty()).is_err() {
            break;
        }
    }
    exit_now(0)
}

/// By which the next process takes its order; `None` at the end.
fn request(control: &OwnedFd) -> Option<OwnedFd> {
    let mut passed = Vec::new();
    match fds::receive(control.as_fd(), &mut [0], &mut passed) {
        Ok(1..) => passed.pop(),
        Ok(0) | Err(_) => None,
    }
}

/// Goes through what a process does before its function. In the server it finds and makes what its
/// copies then have; in a copy it touches the memory that the copy is going to change.
fn rehearse() {
    image::prepare();
    children::install();
    resource_tracker::prepare();
    let value = (String::from("rehearsal"), vec![0_u8; 64]);
    let travelled = dumps(&value).and_then(|message| loads(&message.bytes, message.fds));
    let _ = catch(|| travelled.is_ok_and(|travelled: (String, Vec<u8>)| travelled == value));
}

/// Waits for an order in the new process, and does what it says.
fn become_process(orders: OwnedFd, server: PidFd, interrupt: &Before) -> ! {
    // The C library was not told of the fork, so that nobody else was.
    life::forget();
    rehearse();
    if !readable_before(orders.as_fd(), server.as_fd()) {
        // The parent cannot send it from now on, and starts another server. An order that has come
        // in the meantime counts; without one the process ends.
        let _ = shutdown(orders.as_raw_fd(), Shutdown::Read);
    }
    drop(server);
    interrupt.restore();
    spawn::end_copy(spawn::run(orders))
}

/// The server itself reads nothing and writes nothing, and holds no terminal open.
fn close_standard_streams() {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null");
    if let Ok(null) = null {
        (0..=2).for_each(|number| duplicate_onto(null.as_fd(), number));
    }
}
