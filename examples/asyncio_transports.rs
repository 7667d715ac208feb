//! A5, transports and protocols: callbacks instead of coroutines, over a Unix socket.
//!
//! Run: cargo run --release --example asyncio_transports

use std::cell::RefCell;

use hilos::asyncio::{self, Exception, Future, Protocol, Result, Transport};

#[derive(Default)]
struct EchoServerProtocol {
    transport: RefCell<Option<Transport>>,
}

impl Protocol for EchoServerProtocol {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        println!("Connection made");
        *self.transport.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        println!("Data received: {}", String::from_utf8_lossy(data));
        if let Some(transport) = self.transport.take() {
            transport.write(data)?;
            println!("Close the client socket");
            transport.close();
        }
        Ok(())
    }
}

struct EchoClientProtocol {
    message: &'static str,
    on_con_lost: Future<String>,
    received: RefCell<String>,
}

impl Protocol for EchoClientProtocol {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        println!("Data sent: {}", self.message);
        transport.write(self.message)
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.received
            .borrow_mut()
            .push_str(&String::from_utf8_lossy(data));
        Ok(())
    }

    fn connection_lost(&self, _exc: Option<&Exception>) -> Result<()> {
        println!("The server closed the connection");
        self.on_con_lost.set_result(self.received.take())
    }
}

fn main() -> Result<()> {
    let path = std::env::temp_dir().join(format!("hilos-transports-{}", std::process::id()));
    let at = path.clone();
    asyncio::run(async move {
        let event_loop = asyncio::get_running_loop()?;
        let server = event_loop
            .create_unix_server(EchoServerProtocol::default, &at)
            .await?;
        let on_con_lost = event_loop.create_future();
        let protocol = EchoClientProtocol {
            message: "Hello World!",
            on_con_lost: on_con_lost.clone(),
            received: RefCell::default(),
        };
        event_loop
            .create_unix_connection(move || protocol, &at)
            .await?;
        assert_eq!(asyncio::wait_for(on_con_lost, 10).await?, "Hello World!");
        server.close();
        server.wait_closed().await
    })?;
    assert!(!path.exists(), "the socket goes with its server");
    Ok(())
}
