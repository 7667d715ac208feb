//! A5, UDP: a protocol that answers datagrams, and one that sends them.
//!
//! Run: cargo run --release --example asyncio_udp_echo

use std::cell::RefCell;

use hilos::asyncio::{
    self, Address, DatagramProtocol, DatagramTransport, Exception, Future, Result,
};

#[derive(Default)]
struct EchoServerProtocol {
    transport: RefCell<Option<DatagramTransport>>,
}

impl DatagramProtocol for EchoServerProtocol {
    fn connection_made(&self, transport: &DatagramTransport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn datagram_received(&self, data: &[u8], addr: &Address) -> Result<()> {
        println!("Received {:?}", String::from_utf8_lossy(data));
        match &*self.transport.borrow() {
            Some(transport) => transport.sendto(data, addr.clone()),
            None => Ok(()),
        }
    }
}

struct EchoClientProtocol {
    message: String,
    transport: RefCell<Option<DatagramTransport>>,
    answer: Future<String>,
    on_con_lost: Future<()>,
}

impl DatagramProtocol for EchoClientProtocol {
    fn connection_made(&self, transport: &DatagramTransport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        println!("Send: {}", self.message);
        transport.sendto(&self.message, None)
    }

    fn datagram_received(&self, data: &[u8], _addr: &Address) -> Result<()> {
        println!("Received back: {}", String::from_utf8_lossy(data));
        self.answer.set_result(String::from_utf8(data.to_vec())?)?;
        println!("Close the socket");
        if let Some(transport) = self.transport.take() {
            transport.close();
        }
        Ok(())
    }

    fn connection_lost(&self, _exc: Option<&Exception>) -> Result<()> {
        println!("Connection closed");
        self.on_con_lost.set_result(())
    }
}

fn main() -> Result<()> {
    asyncio::run(async {
        let event_loop = asyncio::get_running_loop()?;
        let serve = event_loop.create_datagram_endpoint(EchoServerProtocol::default);
        let (server, _) = serve.with_local_addr("127.0.0.1", 0).await?;
        let sockname = server.get_extra_info("sockname");
        let port = sockname
            .and_then(|name| name.as_address()?.port())
            .unwrap_or_default();

        let (answer, on_con_lost) = (event_loop.create_future(), event_loop.create_future());
        let protocol = EchoClientProtocol {
            message: "Hello World!".to_owned(),
            transport: RefCell::default(),
            answer: answer.clone(),
            on_con_lost: on_con_lost.clone(),
        };
        let connect = event_loop.create_datagram_endpoint(move || protocol);
        connect.with_remote_addr("127.0.0.1", port).await?;
        assert_eq!(asyncio::wait_for(answer, 10).await?, "Hello World!");
        on_con_lost.await?;
        server.close();
        Ok(())
    })
}
