//! Connections that end by an error.

use std::io::Write;
use std::sync::mpsc::channel;

use hilos::asyncio::{self, Protocol, Result, StreamReader};

use super::{ping, pong_server};
use crate::certificates::{believing, showing};
use crate::parties::{between, connect, joined, relay};
use crate::support::{fails, run, until, watch};

// cpython: test_asyncio/test_ssl.py::TestSSL::test_start_tls_client_corrupted_ssl
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_start_tls_client_corrupted_ssl
#[test]
fn what_is_not_encrypted_as_it_should_ends_the_connection() {
    run(async {
        let _log = watch();
        let server =
            pong_server(async |reader: StreamReader, _writer| reader.read_to_end().await.map(drop));
        let server = server.await?;
        let (go, wait) = channel::<()>();
        let (port, wire) = between(&server, move |client, server| {
            relay(&client, &server);
            relay(&server, &client);
            wait.recv().unwrap();
            (&client)
                .write_all(b"please corrupt the SSL connection")
                .unwrap();
        });
        let (reader, writer) = ping(port).await?;
        go.send(())?;
        let message = fails(reader.readline().await, "SSLError");
        assert!(message.starts_with("[SSL] the other side does not speak TLS: "));
        writer.close();
        fails(writer.wait_closed().await, "SSLError");
        joined(wire).await?;
        server.close();
        Ok(())
    });
}

/// Fails in the method of this name.
#[derive(Default)]
struct Fails(&'static str);

impl Fails {
    fn at(&self, name: &str) -> Result<()> {
        match self.0 == name {
            true => Err(asyncio::Exception::new("KeyError", name.to_owned())),
            false => Ok(()),
        }
    }
}

impl Protocol for Fails {
    fn connection_made(&self, _: &asyncio::Transport) -> Result<()> {
        self.at("connection_made")
    }

    fn data_received(&self, _: &[u8]) -> Result<()> {
        self.at("data_received")
    }

    fn eof_received(&self) -> Result<bool> {
        self.at("eof_received").map(|()| false)
    }
}

#[test]
fn the_connection_of_a_program_that_fails_is_lost() {
    run(async {
        let log = watch();
        let event_loop = asyncio::get_running_loop()?;
        for place in ["connection_made", "data_received", "eof_received"] {
            let create = event_loop.create_server(move || Fails(place), "127.0.0.1", 0);
            let server = create.with_ssl(&showing("server")).await?;
            let (reader, writer) = connect(&server, &believing()).await?;
            writer.write(b"x")?;
            if place == "eof_received" {
                writer.close();
            }
            // The end, or a reset.
            let _ = reader.read_to_end().await;
            writer.close();
            until(|| log.len() == 1).await?;
            let exception = log.take().remove(0).exception.unwrap();
            assert_eq!(format!("{exception:?}"), format!("KeyError: {place}"));
            server.close();
        }
        Ok(())
    });
}
