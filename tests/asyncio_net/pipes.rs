//! `connect_read_pipe` and `connect_write_pipe`.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Write};
use std::rc::Rc;

use hilos::asyncio::{self, Exception, Protocol, Result, Transport};

use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use crate::support::{Log, fails, run, until, watch};

/// Writes down what it is called with.
struct Recorder {
    log: Log<String>,
    data: RefCell<Vec<u8>>,
}

impl Recorder {
    fn new() -> Rc<Self> {
        let data = RefCell::default();
        Rc::new(Self {
            log: Log::new(),
            data,
        })
    }
}

impl Protocol for Recorder {
    fn connection_made(&self, _transport: &Transport) -> Result<()> {
        self.log.push("made".to_owned());
        Ok(())
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.data.borrow_mut().extend(data);
        Ok(())
    }

    fn eof_received(&self) -> Result<bool> {
        self.log.push("eof".to_owned());
        Ok(false)
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        self.log
            .push(format!("lost {}", exc.map_or("None", Exception::type_name)));
        Ok(())
    }

    fn pause_writing(&self) -> Result<()> {
        self.log.push("pause".to_owned());
        Ok(())
    }

    fn resume_writing(&self) -> Result<()> {
        self.log.push("resume".to_owned());
        Ok(())
    }
}

async fn reading() -> Result<(Transport, Rc<Recorder>, std::io::PipeWriter)> {
    let (reader, writer) = std::io::pipe()?;
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let event_loop = asyncio::get_running_loop()?;
    let (transport, _) = event_loop
        .connect_read_pipe(move || protocol, reader)
        .await?;
    Ok((transport, recorder, writer))
}

async fn writing() -> Result<(Transport, Rc<Recorder>, std::io::PipeReader)> {
    let (reader, writer) = std::io::pipe()?;
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let event_loop = asyncio::get_running_loop()?;
    let (transport, _) = event_loop
        .connect_write_pipe(move || protocol, writer)
        .await?;
    Ok((transport, recorder, reader))
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_read_pipe
#[test]
fn a_pipe_is_read_to_its_end() {
    run(async {
        let (transport, recorder, mut writer) = reading().await?;
        let fd = transport.get_extra_info("pipe").unwrap();
        let shown = |state| format!("<_UnixReadPipeTransport fd={fd} {state}>");
        assert_eq!(transport.to_string(), shown("polling"));
        transport.pause_reading();
        assert_eq!(transport.to_string(), shown("idle"));
        transport.resume_reading();
        writer.write_all(b"hello ")?;
        until(|| !recorder.data.borrow().is_empty()).await?;
        writer.write_all(b"pipe")?;
        drop(writer);
        until(|| recorder.log.len() == 3).await?;
        assert_eq!(recorder.log.take(), ["made", "eof", "lost None"]);
        assert_eq!(recorder.data.take(), b"hello pipe");
        let shown = format!("<_UnixReadPipeTransport closed fd={fd} closed>");
        assert_eq!(transport.to_string(), shown);
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_pause_reading
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_resume_reading
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_close
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_pause_reading_on_closed_pipe
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_pause_reading_on_paused_pipe
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_resume_reading_on_closed_pipe
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_resume_reading_on_paused_pipe
#[test]
fn a_paused_pipe_is_not_read() {
    run(async {
        let (transport, recorder, mut writer) = reading().await?;
        transport.pause_reading();
        transport.pause_reading();
        assert!(!transport.is_reading());
        writer.write_all(b"late")?;
        asyncio::sleep(0.01).await?;
        assert!(recorder.data.borrow().is_empty());
        transport.resume_reading();
        transport.resume_reading();
        until(|| !recorder.data.borrow().is_empty()).await?;
        transport.close();
        assert!(transport.is_closing());
        transport.pause_reading();
        transport.resume_reading();
        assert!(!transport.is_reading());
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "lost None"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_write_pipe
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_can_write_eof
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_no_data
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_eof
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_close
#[test]
fn what_is_written_comes_out() {
    run(async {
        let (transport, recorder, mut reader) = writing().await?;
        assert!(transport.can_write_eof());
        transport.write(b"")?;
        transport.write(b"one ")?;
        transport.writelines(["two ", "three"])?;
        assert_eq!(transport.get_write_buffer_size(), 0);
        transport.write_eof()?;
        transport.write_eof()?;
        transport.write(b"swallowed")?;
        transport.close();
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(recorder.log.take(), ["made", "lost None"]);
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        assert_eq!(text, "one two three");
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_partial
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_buffer
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_again
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_eof_pending
#[test]
fn what_the_pipe_does_not_take_waits() {
    run(async {
        let (transport, recorder, mut reader) = writing().await?;
        let data: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
        transport.write(&data)?;
        transport.write(b"end")?;
        assert!(transport.get_write_buffer_size() > 900_000);
        transport.close();
        let thread = std::thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        until(|| recorder.log.len() == 4).await?;
        assert_eq!(
            recorder.log.take(),
            ["made", "pause", "resume", "lost None"]
        );
        let all = thread.join().unwrap()?;
        assert!(all == [&data[..], b"end"].concat());
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_err
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_close
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_abort
#[test]
fn a_reader_that_goes_closes_the_pipe() {
    run(async {
        let (transport, recorder, reader) = writing().await?;
        drop(reader);
        until(|| transport.is_closing()).await?;
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "lost None"]);

        let (transport, recorder, reader) = writing().await?;
        transport.write(vec![0; 1 << 20])?;
        drop(reader);
        until(|| transport.is_closing()).await?;
        asyncio::sleep(0).await?;
        assert_eq!(
            recorder.log.take(),
            ["made", "pause", "lost BrokenPipeError"]
        );

        let (transport, recorder, _reader) = writing().await?;
        transport.write(vec![0; 1 << 20])?;
        transport.abort();
        assert_eq!(transport.get_write_buffer_size(), 0);
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "pause", "lost None"]);
        Ok(())
    });
}

#[test]
fn a_reader_that_goes_closes_a_pipe_that_is_being_closed() {
    run(async {
        let (transport, recorder, reader) = writing().await?;
        transport.write(vec![0; 1 << 20])?;
        transport.close();
        // It is lost, and does not hide that the reader goes.
        transport.write(b"late")?;
        let fd = transport.get_extra_info("pipe").unwrap();
        let waiting = transport.get_write_buffer_size();
        let shown = format!("<_UnixWritePipeTransport closing fd={fd} polling bufsize={waiting}>");
        assert_eq!(transport.to_string(), shown);
        drop(reader);
        until(|| recorder.log.len() == 3).await?;
        let log = recorder.log.take();
        assert_eq!(log, ["made", "pause", "lost BrokenPipeError"]);

        let (transport, recorder, _reader) = writing().await?;
        transport.write(vec![0; 1 << 20])?;
        transport.close();
        transport.write(b"late")?;
        transport.abort();
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "pause", "lost None"]);
        Ok(())
    });
}

#[test]
fn a_protocol_that_fails_is_called_again() {
    struct Fails(Log<Vec<u8>>);
    impl Protocol for Fails {
        fn data_received(&self, data: &[u8]) -> Result<()> {
            self.0.push(data.to_vec());
            Err(Exception::new("LookupError", "of the protocol"))
        }
    }
    run(async {
        let contexts = watch();
        let (pipe, mut writer) = std::io::pipe()?;
        let event_loop = asyncio::get_running_loop()?;
        let log = Log::new();
        let protocol = Fails(log.clone());
        let connect = event_loop.connect_read_pipe(|| protocol, pipe);
        let (transport, _) = connect.await?;
        for data in [b"one", b"two"] {
            writer.write_all(data)?;
            until(|| contexts.len() == 1).await?;
            assert_eq!(log.take(), [data]);
            let message = contexts.take().pop().unwrap().message;
            assert!(message.starts_with("Exception in callback "), "{message}");
        }
        assert!(!transport.is_closing());
        transport.close();
        Ok(())
    });
}

#[test]
fn what_goes_wrong_with_reading_a_pipe_is_told() {
    run(async {
        let contexts = watch();
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let theirs = std::net::TcpStream::connect(listener.local_addr()?)?;
        let (ours, _) = listener.accept()?;
        let at_once = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        nix::sys::socket::setsockopt(&theirs, nix::sys::socket::sockopt::Linger, &at_once)?;
        let event_loop = asyncio::get_running_loop()?;
        let recorder = Recorder::new();
        let protocol = recorder.clone();
        let connect = event_loop.connect_read_pipe(move || protocol, ours);
        let (transport, _) = connect.await?;
        drop(theirs);
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(recorder.log.take(), ["made", "lost ConnectionResetError"]);
        let context = contexts.take().pop().unwrap();
        assert_eq!(context.message, "Fatal read error on pipe transport");
        let reset = "ConnectionResetError(104, 'Connection reset by peer')";
        assert_eq!(context.exception.unwrap().repr(), reset);
        assert!(transport.is_closing());
        Ok(())
    });
}

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
fn the_end_of_writing_is_none_of_a_pipe_that_is_read() {
    run(async {
        let (transport, recorder, mut writer) = reading().await?;
        assert!(!transport.can_write_eof());
        transport.write_eof()?;
        assert!(!transport.is_closing());
        writer.write_all(b"still read")?;
        until(|| *recorder.data.borrow() == b"still read").await?;
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

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_write_pipe_disconnect_on_close
#[test]
fn a_socket_for_a_pipe_tells_that_the_other_end_is_gone() {
    run(async {
        let (mut theirs, ours) = std::os::unix::net::UnixStream::pair()?;
        let recorder = Recorder::new();
        let protocol = recorder.clone();
        let event_loop = asyncio::get_running_loop()?;
        let connect = event_loop.connect_write_pipe(move || protocol, ours);
        let (transport, _) = connect.await?;
        transport.write(b"1")?;
        let mut buffer = [0; 10];
        assert_eq!(theirs.read(&mut buffer)?, 1);
        drop(theirs);
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(recorder.log.take(), ["made", "lost None"]);
        Ok(())
    });
}

/// Both ends of a terminal: where its keys and its picture are, and where programs read and write.
fn terminal() -> Result<(File, File)> {
    let ends = openpty(None, None)?;
    let mut raw = tcgetattr(&ends.slave)?;
    cfmakeraw(&mut raw);
    tcsetattr(&ends.slave, SetArg::TCSANOW, &raw)?;
    Ok((ends.master.into(), ends.slave.into()))
}

async fn read_from(file: File) -> Result<(Transport, Rc<Recorder>)> {
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let event_loop = asyncio::get_running_loop()?;
    let connect = event_loop.connect_read_pipe(move || protocol, file);
    Ok((connect.await?.0, recorder))
}

async fn write_to(file: File) -> Result<(Transport, Rc<Recorder>)> {
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let event_loop = asyncio::get_running_loop()?;
    let connect = event_loop.connect_write_pipe(move || protocol, file);
    Ok((connect.await?.0, recorder))
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
