//! `connect_read_pipe` and `connect_write_pipe`.

mod descriptors;
mod read_pipes;
mod terminals;
mod write_pipes;

use std::cell::RefCell;
use std::fs::File;
use std::rc::Rc;

use hilos::asyncio::{self, Exception, Protocol, Result, Transport};

use crate::support::Log;

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
