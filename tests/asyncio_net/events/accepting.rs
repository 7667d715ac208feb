//! Connections that wait at a server, or have gone before it looks.

use std::cell::Cell;
use std::io::Read;
use std::net::TcpStream;
use std::rc::Rc;

use hilos::asyncio::{self, Result, Server};

use super::Counter;
use crate::support::{port, run, until};

/// A server that counts its connections.
async fn counting(backlog: u32) -> Result<(Server, Rc<Cell<usize>>)> {
    let made = Rc::new(Cell::new(0));
    let count = made.clone();
    let factory = move || {
        count.set(count.get() + 1);
        Counter::default()
    };
    let event_loop = asyncio::get_running_loop()?;
    let server = event_loop.create_server(factory, "127.0.0.1", 0);
    Ok((server.with_backlog(backlog).await?, made))
}

// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_accept_connection_multiple
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_accept_connection_zero_one
#[test]
fn connections_that_wait_are_accepted_together() {
    run(async {
        for (backlog, waiting) in [(0, 1), (1, 2), (100, 50)] {
            let (server, made) = counting(backlog).await?;
            let address = ("127.0.0.1", port(&server));
            let connect = || TcpStream::connect(address);
            let clients = (0..waiting)
                .map(|_| connect())
                .collect::<Result<Vec<_>, _>>()?;
            while made.get() == 0 {
                asyncio::sleep(0).await?;
            }
            assert_eq!(made.get(), waiting);
            drop(clients);
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_accept_connection_skip_connectionabortederror
#[test]
fn connections_that_are_gone_do_not_keep_others_from_being_accepted() {
    use nix::sys::socket::{setsockopt, sockopt::Linger};
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    run(async move {
        let accepted = Rc::new(Cell::new(0));
        let count = accepted.clone();
        let answer = async move |_, writer: asyncio::StreamWriter| {
            count.set(count.get() + 1);
            writer.write(b"here")?;
            writer.close();
            Ok(())
        };
        let server = asyncio::start_server(answer, "127.0.0.1", 0).await?;
        let address = ("127.0.0.1", port(&server));
        for _ in 0..5 {
            // It is reset before the server looks.
            let gone = TcpStream::connect(address)?;
            setsockopt(&gone, Linger, &at_once)?;
            drop(gone);
        }
        let mut stays = TcpStream::connect(address)?;
        until(|| accepted.get() >= 6).await?;
        let mut answer = [0; 4];
        stays.read_exact(&mut answer)?;
        assert_eq!(&answer, b"here");
        server.close();
        Ok(())
    });
}
