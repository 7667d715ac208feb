//! Terminals as pipes.

use std::fs::File;
use std::io::{Read, Write};

use hilos::asyncio::Result;
use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use super::{read_from, write_to};
use crate::support::{run, until};

/// Both ends of a terminal: where its keys and its picture are, and where programs read and write.
fn terminal() -> Result<(File, File)> {
    let ends = openpty(None, None)?;
    let mut raw = tcgetattr(&ends.slave)?;
    cfmakeraw(&mut raw);
    tcsetattr(&ends.slave, SetArg::TCSANOW, &raw)?;
    Ok((ends.master.into(), ends.slave.into()))
}

/// Reads as much as `expected` is long, which is there already or comes soon.
fn expect(file: &mut File, expected: &[u8]) -> Result<()> {
    let mut buffer = vec![0; expected.len()];
    file.read_exact(&mut buffer)?;
    assert_eq!(buffer, expected);
    Ok(())
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_read_pty_output
#[test]
fn what_programs_write_to_a_terminal_is_read() {
    run(async {
        let (master, mut slave) = terminal()?;
        let (transport, recorder) = read_from(master).await?;
        slave.write_all(b"1")?;
        until(|| *recorder.data.borrow() == b"1").await?;
        slave.write_all(b"2345")?;
        until(|| *recorder.data.borrow() == b"12345").await?;
        assert_eq!(recorder.log.take(), ["made"]);
        drop(slave);
        transport.close();
        until(|| recorder.log.len() == 1).await?;
        assert_eq!(recorder.log.take(), ["lost None"]);

        // A terminal that no program has open any more cannot be read.
        let (master, slave) = terminal()?;
        let (_transport, recorder) = read_from(master).await?;
        drop(slave);
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(recorder.log.take(), ["made", "lost OSError"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_write_pty
#[test]
fn what_is_written_to_a_terminal_is_seen() {
    run(async {
        let (mut master, slave) = terminal()?;
        let (transport, recorder) = write_to(slave).await?;
        transport.write(b"1")?;
        expect(&mut master, b"1")?;
        transport.write(b"2345")?;
        expect(&mut master, b"2345")?;
        assert_eq!(recorder.log.take(), ["made"]);
        drop(master);
        assert!(transport.get_extra_info("pipe").is_some());
        transport.close();
        until(|| recorder.log.len() == 1).await?;
        assert_eq!(recorder.log.take(), ["lost None"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_bidirectional_pty
#[test]
fn a_terminal_is_read_and_written_at_once() {
    run(async {
        let (mut master, slave) = terminal()?;
        let (reading, keys) = read_from(slave.try_clone()?).await?;
        let (writing, picture) = write_to(slave).await?;
        writing.write(b"1")?;
        expect(&mut master, b"1")?;
        master.write_all(b"a")?;
        until(|| *keys.data.borrow() == b"a").await?;
        writing.write(b"2345")?;
        expect(&mut master, b"2345")?;
        master.write_all(b"bcde")?;
        until(|| *keys.data.borrow() == b"abcde").await?;
        assert_eq!(
            (keys.log.take(), picture.log.take()),
            (vec!["made".into()], vec!["made".into()])
        );
        drop(master);
        reading.close();
        writing.close();
        until(|| keys.log.len() == 1 && picture.log.len() == 1).await
    });
}
