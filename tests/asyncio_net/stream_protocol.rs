//! `StreamReaderProtocol` and `StreamReader` in the hands of a program.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{
    self, Exception, Protocol, Result, StreamReader, StreamReaderProtocol, create_task,
    get_running_loop,
};

use crate::support::{fails, run, until};

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
        reader.set_transport(&transport);
        theirs.write_all(b"more than eight")?;
        until(|| !transport.is_reading()).await?;
        assert_eq!(reader.readexactly(10).await?, b"more than ");
        assert!(!transport.is_reading(), "five are left");
        assert_eq!(reader.readexactly(1).await?, b"e");
        assert!(transport.is_reading(), "as many as the limit are left");
        transport.close();
        Ok(())
    });
}
