//! What may be a pipe, and what becomes of its descriptor.

use std::fs::File;

use hilos::asyncio;

use super::{Recorder, write_to};
use crate::support::{fails, run};

#[test]
fn the_flags_of_a_descriptor_stay() {
    use nix::fcntl::{F_GETFL, OFlag, fcntl};
    run(async {
        let file = File::options().append(true).open("/dev/null")?;
        let other = file.try_clone()?;
        let (transport, _) = write_to(file).await?;
        let flags = OFlag::from_bits_retain(fcntl(&other, F_GETFL)?);
        assert!(
            flags.contains(OFlag::O_APPEND | OFlag::O_NONBLOCK),
            "{flags:?}"
        );
        transport.close();
        Ok(())
    });
}

#[test]
fn a_file_is_no_pipe() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let file = File::open("/etc/passwd")?;
        let connect = event_loop.connect_read_pipe(Recorder::new, file).await;
        let message = fails(connect.map(drop), "ValueError");
        assert_eq!(message, "Pipe transport is for pipes/sockets only.");
        Ok(())
    });
}
