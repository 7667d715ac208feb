//! What a protocol does or fails with in the middle of being called, as CPython goes on from there.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{self, Exception, ExceptionContext, Protocol, Result, Transport};

use crate::support::{Log, run, watch};

/// More than a socket takes.
const MUCH: usize = 1 << 21;

/// Writes down what it is called with, and does something when it is called with `at`.
struct Odd<F> {
    log: Log<String>,
    transport: RefCell<Option<Transport>>,
    at: &'static str,
    does: F,
}

impl<F: Fn(&Transport) -> Result<bool>> Odd<F> {
    fn record(&self, what: &str) -> Result<bool> {
        self.log.push(what.to_owned());
        let transport = self.transport.borrow().clone().expect("a connection");
        match what.starts_with(self.at) {
            true => (self.does)(&transport),
            false => Ok(false),
        }
    }
}

impl<F: Fn(&Transport) -> Result<bool> + 'static> Protocol for Odd<F> {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        self.record("made").map(drop)
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.record(&format!("data {}", data.len())).map(drop)
    }

    fn eof_received(&self) -> Result<bool> {
        self.record("eof")
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let why = exc.map_or("None".to_owned(), Exception::repr);
        self.record(&format!("lost {why}")).map(drop)
    }

    fn pause_writing(&self) -> Result<()> {
        self.record("pause").map(drop)
    }

    fn resume_writing(&self) -> Result<()> {
        self.record("resume").map(drop)
    }
}

/// A transport, what its protocol is called with, and the other end.
struct Connected {
    transport: Transport,
    log: Log<String>,
    theirs: UnixStream,
}

impl Connected {
    async fn when<F>(at: &'static str, does: F) -> Result<Self>
    where
        F: Fn(&Transport) -> Result<bool> + 'static,
    {
        let (ours, theirs) = UnixStream::pair()?;
        theirs.set_nonblocking(true)?;
        let log = Log::new();
        let odd = Odd {
            log: log.clone(),
            transport: RefCell::default(),
            at,
            does,
        };
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection_over(move || odd, ours);
        let (transport, _) = create.await?;
        Ok(Self {
            transport,
            log,
            theirs,
        })
    }

    /// Takes what has come, and lets the loop go round, until nothing more comes.
    async fn drain(&mut self) -> Result<usize> {
        let (mut all, mut idle) = (0, 0);
        let mut buffer = vec![0; 1 << 20];
        while idle < 20 {
            match self.theirs.read(&mut buffer) {
                Ok(0) => idle += 1,
                Ok(count) => (all, idle) = (all + count, 0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => idle += 1,
                Err(error) => return Err(error.into()),
            }
            asyncio::sleep(0).await?;
        }
        Ok(all)
    }
}

/// Lets the loop go round a few times.
async fn spin() -> Result<()> {
    for _ in 0..6 {
        asyncio::sleep(0).await?;
    }
    Ok(())
}

fn fails(_: &Transport) -> Result<bool> {
    Err(Exception::new("LookupError", "x"))
}

fn closes(transport: &Transport) -> Result<bool> {
    transport.close();
    Ok(false)
}

fn aborts(transport: &Transport) -> Result<bool> {
    transport.abort();
    Ok(false)
}

fn nothing(_: &Transport) -> Result<bool> {
    Ok(false)
}

/// Checks that one error was told, and how its message begins.
#[track_caller]
fn told(contexts: &Log<ExceptionContext>, message: &str) {
    let contexts = contexts.take();
    assert_eq!(contexts.len(), 1, "{contexts:?}");
    assert!(contexts[0].message.starts_with(message), "{contexts:?}");
    let exception = contexts[0].exception.as_ref().unwrap();
    assert_eq!(exception.repr(), "LookupError('x')");
}

#[test]
fn when_the_connection_is_made() {
    run(async {
        let contexts = watch();
        let mut failing = Connected::when("made", fails).await?;
        told(&contexts, "Exception in callback ");
        failing.theirs.write_all(b"x")?;
        spin().await?;
        failing.transport.close();
        spin().await?;
        assert_eq!(failing.log.take(), ["made", "data 1", "lost None"]);
        for leave in [closes, aborts] {
            let leaving = Connected::when("made", leave).await?;
            spin().await?;
            assert_eq!(leaving.log.take(), ["made", "lost None"]);
        }
        let pauses = |transport: &Transport| {
            transport.pause_reading();
            Ok(false)
        };
        let mut paused = Connected::when("made", pauses).await?;
        paused.theirs.write_all(b"x")?;
        spin().await?;
        assert_eq!(paused.log.take(), ["made"]);
        paused.transport.resume_reading();
        spin().await?;
        assert_eq!(paused.log.take(), ["data 1"]);
        assert!(contexts.take().is_empty());
        Ok(())
    });
}

#[test]
fn when_it_is_asked_to_pause() {
    run(async {
        let contexts = watch();
        let failing = Connected::when("pause", fails).await?;
        failing.transport.write(vec![0; MUCH])?;
        told(&contexts, "protocol.pause_writing() failed");
        failing.transport.abort();
        spin().await?;
        assert_eq!(failing.log.take(), ["made", "pause", "lost None"]);
        Ok(())
    });
}

#[test]
fn when_it_may_go_on() {
    run(async {
        let contexts = watch();
        let mut failing = Connected::when("resume", fails).await?;
        failing.transport.write(vec![0; MUCH])?;
        assert_eq!(failing.drain().await?, MUCH);
        told(&contexts, "protocol.resume_writing() failed");
        failing.transport.abort();
        spin().await?;
        let all = ["made", "pause", "resume", "lost None"];
        assert_eq!(failing.log.take(), all);
        for leave in [closes, aborts] {
            let mut leaving = Connected::when("resume", leave).await?;
            leaving.transport.write(vec![0; MUCH])?;
            leaving.drain().await?;
            assert_eq!(leaving.log.take(), all);
        }
        let writes = |transport: &Transport| transport.write(vec![1; 100_000]).map(|()| false);
        let mut writing = Connected::when("resume", writes).await?;
        writing.transport.write(vec![0; MUCH])?;
        assert_eq!(writing.drain().await?, MUCH + 100_000);
        assert_eq!(writing.log.take(), ["made", "pause", "resume"]);
        assert!(contexts.take().is_empty());
        Ok(())
    });
}

#[test]
fn when_the_connection_is_lost() {
    run(async {
        let contexts = watch();
        let failing = Connected::when("lost", fails).await?;
        failing.transport.close();
        spin().await?;
        told(&contexts, "Exception in callback ");
        assert_eq!(failing.log.take(), ["made", "lost None"]);
        let shown = failing.transport.to_string();
        assert!(
            shown.starts_with("<_SelectorSocketTransport closed fd="),
            "{shown}"
        );
        Ok(())
    });
}

#[test]
fn when_the_other_side_has_ended() {
    run(async {
        let keeping = Connected::when("eof", |_| Ok(true)).await?;
        keeping.theirs.shutdown(Shutdown::Write)?;
        spin().await?;
        assert_eq!(keeping.log.take(), ["made", "eof"]);
        assert!(keeping.transport.is_reading());
        // Who reads again is told again.
        keeping.transport.pause_reading();
        keeping.transport.resume_reading();
        spin().await?;
        keeping.transport.close();
        spin().await?;
        assert_eq!(keeping.log.take(), ["eof", "lost None"]);

        let closing = Connected::when("eof", closes).await?;
        closing.theirs.shutdown(Shutdown::Write)?;
        spin().await?;
        assert_eq!(closing.log.take(), ["made", "eof", "lost None"]);

        let writes = |transport: &Transport| transport.write(vec![1; MUCH]).map(|()| false);
        let mut writing = Connected::when("eof", writes).await?;
        writing.theirs.shutdown(Shutdown::Write)?;
        spin().await?;
        assert_eq!(writing.log.take(), ["made", "eof", "pause"]);
        assert_eq!(writing.drain().await?, MUCH);
        assert_eq!(writing.log.take(), ["resume", "lost None"]);
        Ok(())
    });
}

#[test]
fn when_much_waits_and_this_side_ends() {
    run(async {
        let mut ending = Connected::when("-", nothing).await?;
        ending.transport.write(vec![0; MUCH])?;
        ending.transport.write_eof()?;
        ending.transport.close();
        assert_eq!(ending.drain().await?, MUCH);
        let all = ["made", "pause", "resume", "lost None"];
        assert_eq!(ending.log.take(), all);

        // Until all that waits is written, more may be.
        let mut closing = Connected::when("-", nothing).await?;
        closing.transport.write(vec![0; MUCH])?;
        closing.transport.close();
        closing.transport.write(b"late")?;
        assert_eq!(closing.drain().await?, MUCH + 4);
        assert_eq!(closing.log.take(), all);
        Ok(())
    });
}

#[test]
fn when_data_comes() {
    run(async {
        let mut closing = Connected::when("data", closes).await?;
        closing.theirs.write_all(b"x")?;
        closing.theirs.write_all(b"y")?;
        spin().await?;
        assert_eq!(closing.log.take(), ["made", "data 2", "lost None"]);

        let pauses = |transport: &Transport| {
            transport.pause_reading();
            Ok(false)
        };
        let mut pausing = Connected::when("data", pauses).await?;
        pausing.theirs.write_all(b"x")?;
        spin().await?;
        drop(pausing.theirs);
        spin().await?;
        assert_eq!(pausing.log.take(), ["made", "data 1"]);
        pausing.transport.resume_reading();
        until_lost(&pausing.log).await?;
        assert_eq!(pausing.log.take(), ["eof", "lost None"]);
        Ok(())
    });
}

/// A child of another test may have the other end for a moment.
async fn until_lost(log: &Log<String>) -> Result<()> {
    crate::support::until(|| log.len() == 2).await
}

#[test]
fn when_the_limits_change() {
    run(async {
        let mut changing = Connected::when("-", nothing).await?;
        changing.transport.set_write_buffer_limits(0, None)?;
        changing.transport.write(vec![0; MUCH])?;
        assert_eq!(changing.log.take(), ["made", "pause"]);
        // Higher limits alone let nobody go on.
        changing.transport.set_write_buffer_limits(1 << 30, None)?;
        assert_eq!(changing.log.len(), 0);
        assert_eq!(changing.drain().await?, MUCH);
        assert_eq!(changing.log.take(), ["resume"]);
        Ok(())
    });
}

#[test]
fn when_several_wait_for_room() {
    run(async {
        let (ours, theirs) = UnixStream::pair()?;
        let (reader, writer) = asyncio::open_connection_over(ours).await?;
        let (reader, writer) = (Rc::new(reader), Rc::new(writer));
        writer.write(vec![0; MUCH])?;
        let drain = || {
            let writer = writer.clone();
            asyncio::create_task(async move { writer.drain().await })
        };
        let (first, second) = (drain(), drain());
        spin().await?;
        first.cancel();
        spin().await?;
        assert!(first.cancelled() && !second.done());
        // Its end is unread, so that the connection is reset.
        drop(theirs);
        let reset = "ConnectionResetError(104, 'Connection reset by peer')";
        assert_eq!(second.await.unwrap_err().repr(), reset);
        assert_eq!(writer.drain().await.unwrap_err().repr(), reset);
        assert_eq!(writer.wait_closed().await.unwrap_err().repr(), reset);
        assert_eq!(reader.read(1).await.unwrap_err().repr(), reset);
        Ok(())
    });
}

#[test]
fn when_a_stream_is_closed_while_somebody_reads() {
    run(async {
        let (ours, _theirs) = UnixStream::pair()?;
        let (reader, writer) = asyncio::open_connection_over(ours).await?;
        let reading = asyncio::create_task(async move { reader.read(5).await });
        spin().await?;
        writer.close();
        assert_eq!(reading.await?, b"");

        let (ours, _theirs) = UnixStream::pair()?;
        let (reader, writer) = asyncio::open_connection_over(ours).await?;
        let reading = asyncio::create_task(async move { reader.readexactly(5).await });
        spin().await?;
        writer.transport().abort();
        let exception = reading.await.unwrap_err();
        let message = "0 bytes read on a total of 5 expected bytes";
        assert_eq!(
            exception.repr(),
            format!("IncompleteReadError('{message}')")
        );
        Ok(())
    });
}
