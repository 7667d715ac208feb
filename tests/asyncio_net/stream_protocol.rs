//! `StreamReaderProtocol`, and streams that a program makes of it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{
    self, Exception, Protocol, Result, StreamReader, StreamReaderProtocol, StreamWriter,
    create_task, get_running_loop,
};

use crate::support::{fails, run, until, watch};

#[test]
fn pipes_are_streams_too() {
    run(async {
        let (theirs, ours) = std::io::pipe()?;
        let (input, mut output) = std::io::pipe()?;
        let event_loop = get_running_loop()?;
        let reader = StreamReader::new();
        let protocol = StreamReaderProtocol::new(&reader);
        event_loop.connect_read_pipe(|| protocol, input).await?;
        let flow = StreamReaderProtocol::new(&StreamReader::new());
        let (transport, flow) = event_loop.connect_write_pipe(|| flow, ours).await?;
        let writer = StreamWriter::new(&transport, &flow, reader.clone());
        output.write_all(b"a line\nand more")?;
        assert_eq!(reader.readline().await?, b"a line\n");
        drop(output);
        assert_eq!(reader.read_to_end().await?, b"and more");
        // More than a pipe holds, so that the writer has to wait.
        let much = vec![b'x'; 1 << 20];
        let received = std::thread::spawn(move || {
            let (mut theirs, mut all) = (theirs, Vec::new());
            theirs.read_to_end(&mut all).map(|_| all)
        });
        writer.write(&much)?;
        assert!(transport.get_write_buffer_size() > 0);
        writer.drain().await?;
        writer.close();
        writer.wait_closed().await?;
        assert!(received.join().unwrap()? == much);
        Ok(())
    });
}

#[test]
fn a_program_may_feed_the_protocol_itself() {
    run(async {
        let reader = StreamReader::new();
        let protocol = StreamReaderProtocol::new(&reader);
        protocol.data_received(b"data")?;
        assert_eq!(reader.read(100).await?, b"data");
        let waiting = reader.clone();
        let reading = create_task(async move { waiting.read(100).await });
        asyncio::sleep(0).await?;
        assert!(protocol.eof_received()?);
        assert_eq!(reading.await?, b"");
        assert!(reader.at_eof());
        protocol.connection_lost(None)?;
        Ok(())
    });
}

#[test]
fn an_error_of_the_connection_is_the_readers() {
    run(async {
        let reader = StreamReader::new();
        let protocol = StreamReaderProtocol::new(&reader);
        let lost = Exception::new("ConnectionResetError", "gone");
        protocol.connection_lost(Some(&lost))?;
        assert_eq!(fails(reader.read(1).await, "ConnectionResetError"), "gone");
        Ok(())
    });
}

#[test]
fn the_callback_gets_the_connection() {
    run(async {
        let (ours, mut theirs) = UnixStream::pair()?;
        let event_loop = get_running_loop()?;
        let greet = async |reader: StreamReader, writer: StreamWriter| {
            let name = reader.readline().await?;
            writer.write([b"hello ", name.as_slice()].concat())?;
            writer.close();
            Ok(())
        };
        let protocol = StreamReaderProtocol::new(&StreamReader::new());
        let protocol = protocol.with_client_connected_cb(greet);
        theirs.write_all(b"Ana\n")?;
        let connected = event_loop.create_connection_over(|| protocol, ours);
        let (transport, _) = connected.await?;
        until(|| transport.is_closing()).await?;
        let mut answer = String::new();
        theirs.read_to_string(&mut answer)?;
        assert_eq!(answer, "hello Ana\n");
        Ok(())
    });
}

#[test]
fn an_error_of_the_callback_closes_the_connection() {
    run(async {
        let seen = watch();
        let (ours, _theirs) = UnixStream::pair()?;
        let event_loop = get_running_loop()?;
        let fail = async |_, _| Err(Exception::new("ValueError", "no beans"));
        let protocol = StreamReaderProtocol::new(&StreamReader::new());
        let protocol = protocol.with_client_connected_cb(fail);
        let connected = event_loop.create_connection_over(|| protocol, ours);
        let (transport, _) = connected.await?;
        until(|| transport.is_closing()).await?;
        let seen = seen.take();
        assert_eq!(seen.len(), 1);
        let message = "Unhandled exception in client_connected_cb";
        assert_eq!(seen[0].message, message);
        Ok(())
    });
}

/// A protocol of the program's own that feeds a reader.
struct Feeder(StreamReader);

impl Protocol for Feeder {
    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.0.feed_data(data);
        Ok(())
    }
}

#[test]
fn a_reader_that_is_full_pauses_its_transport() {
    run(async {
        let (ours, mut theirs) = UnixStream::pair()?;
        let reader = StreamReader::with_limit(4)?;
        let feeder = Rc::new(Feeder(reader.clone()));
        let event_loop = get_running_loop()?;
        let (transport, _) = event_loop.create_connection_over(|| feeder, ours).await?;
        reader.set_transport(transport.clone());
        theirs.write_all(b"more than eight")?;
        until(|| !transport.is_reading()).await?;
        assert_eq!(reader.read(100).await?, b"more than eight");
        assert!(transport.is_reading());
        reader.set_transport(None);
        theirs.write_all(b"more than eight")?;
        assert_eq!(reader.readexactly(15).await?, b"more than eight");
        assert!(transport.is_reading());
        transport.close();
        Ok(())
    });
}
