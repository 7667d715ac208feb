//! What a `SubprocessProtocol` is called with, in which order.

use std::cell::RefCell;
use std::rc::Rc;

use hilos::asyncio::subprocess::DEVNULL;
use hilos::asyncio::{self, Exception, Result, SubprocessProtocol, SubprocessTransport};

use crate::support::run;

/// Writes down what it is called with.
#[derive(Default)]
struct Recorder {
    log: RefCell<Vec<String>>,
    lost: RefCell<Option<asyncio::Future<()>>>,
}

impl SubprocessProtocol for Recorder {
    fn connection_made(&self, transport: &SubprocessTransport) -> Result<()> {
        assert!(transport.get_pipe_transport(0).is_none());
        assert!(transport.get_pipe_transport(1).is_some());
        self.log.borrow_mut().push("made".to_owned());
        Ok(())
    }

    fn pipe_data_received(&self, fd: i32, data: &[u8]) -> Result<()> {
        let data = String::from_utf8_lossy(data);
        self.log.borrow_mut().push(format!("data {fd} {data}"));
        Ok(())
    }

    fn pipe_connection_lost(&self, fd: i32, exc: Option<&Exception>) -> Result<()> {
        assert!(exc.is_none());
        self.log.borrow_mut().push(format!("pipe lost {fd}"));
        Ok(())
    }

    fn process_exited(&self) -> Result<()> {
        self.log.borrow_mut().push("exited".to_owned());
        Ok(())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        assert!(exc.is_none());
        self.log.borrow_mut().push("lost".to_owned());
        let lost = self.lost.take();
        lost.unwrap().set_result(())
    }
}

// cpython: test_asyncio/test_subprocess.py::SubprocessMixin::test_subprocess_protocol_events
// cpython: test_asyncio/test_protocols.py::ProtocolsAbsTests::test_subprocess_protocol
#[test]
fn a_protocol_is_told_what_a_child_does() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let recorder = Rc::new(Recorder::default());
        let lost = event_loop.create_future();
        *recorder.lost.borrow_mut() = Some(lost.clone());
        let protocol = recorder.clone();
        let shell = event_loop.subprocess_shell(move || protocol, "echo out; echo err >&2");
        let (transport, _) = shell.with_stdin(DEVNULL).await?;
        lost.await?;
        assert_eq!(transport.get_returncode(), Some(0));
        assert!(transport.get_protocol().is_none());
        let mut log = recorder.log.take();
        assert_eq!(log.first().unwrap(), "made");
        assert_eq!(log.last().unwrap(), "lost");
        let place = |what: &str| log.iter().position(|line| line == what).unwrap();
        assert!(place("data 1 out\n") < place("pipe lost 1"));
        assert!(place("data 2 err\n") < place("pipe lost 2"));
        log.sort();
        let all = [
            "data 1 out\n",
            "data 2 err\n",
            "exited",
            "lost",
            "made",
            "pipe lost 1",
            "pipe lost 2",
        ];
        assert_eq!(log, all);
        Ok(())
    });
}
