//! Datagrams to addresses of another kind than their socket's.

use std::cell::RefCell;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;

use hilos::asyncio::{self, Address, DatagramProtocol, Exception, Result};

use crate::support::{run, watch};

/// Remembers what it was told.
#[derive(Default)]
struct Told(RefCell<Vec<String>>);

impl DatagramProtocol for Told {
    fn error_received(&self, exc: &Exception) -> Result<()> {
        self.0.borrow_mut().push(format!("error {}", exc.repr()));
        Ok(())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let exc = exc.map_or("None".to_owned(), Exception::repr);
        self.0.borrow_mut().push(format!("lost {exc}"));
        Ok(())
    }
}

/// What becomes of a socket at an address that a datagram goes from to another.
async fn sent<A: Into<Option<Address>>>(from: Address, to: A) -> Result<Vec<String>> {
    let event_loop = asyncio::get_running_loop()?;
    let create = event_loop.create_datagram_endpoint(Told::default);
    let create = match &from {
        Address::Inet(at) => create.with_local_addr(&at.ip().to_string(), at.port()),
        _ => create.with_sock(UnixDatagram::unbound()?),
    };
    let (transport, told) = create.await?;
    let contexts = watch();
    transport.sendto(b"x", to)?;
    transport.close();
    asyncio::sleep(0).await?;
    let told = told.0.take();
    let handled: Vec<_> = contexts
        .take()
        .into_iter()
        .map(|context| format!("{}: {}", context.message, context.exception.unwrap().repr()))
        .collect();
    let fatal = |line: &String| line.strip_prefix("lost TypeError").map(str::to_owned);
    let expected: Vec<_> = told
        .iter()
        .filter_map(fatal)
        .map(|what| format!("Fatal write error on datagram transport: TypeError{what}"))
        .collect();
    assert_eq!(handled, expected);
    Ok(told)
}

/// What the system refuses is the datagram's error, what the socket cannot mean the program's.
#[test]
fn a_datagram_to_an_address_of_another_kind() {
    run(async {
        let inet = |at: &str| Address::from(at.parse::<SocketAddr>().unwrap());
        let unix = |path: &str| Address::Unix(path.into());
        let v4 = || inet("127.0.0.1:0");
        let lost = |message: &str| format!("lost TypeError({message})");
        let tuple = "'sendto(): AF_INET address must be tuple, not";
        assert_eq!(
            sent(v4(), None).await?,
            [lost(&format!("{tuple} NoneType'"))]
        );
        assert_eq!(
            sent(v4(), unix("/x")).await?,
            [lost(&format!("{tuple} str'"))]
        );
        let name = Address::Abstract(b"x".to_vec());
        assert_eq!(sent(v4(), name).await?, [lost(&format!("{tuple} bytes'"))]);
        let pair = lost("'AF_INET address must be a pair (host, port)'");
        assert_eq!(sent(v4(), inet("[::1]:9")).await?, [pair]);
        let invalid = "error OSError(22, 'Invalid argument')";
        assert_eq!(
            sent(v4(), inet("127.0.0.1:0")).await?,
            [invalid, "lost None"]
        );
        let bytes = "\"a bytes-like object is required, not";
        assert_eq!(
            sent(unix(""), None).await?,
            [lost(&format!("{bytes} 'NoneType'\""))]
        );
        assert_eq!(
            sent(unix(""), v4()).await?,
            [lost(&format!("{bytes} 'tuple'\""))]
        );
        let missing = "error FileNotFoundError(2, 'No such file or directory')";
        assert_eq!(
            sent(unix(""), unix("/no/such")).await?,
            [missing, "lost None"]
        );
        if UdpSocket::bind("[::1]:0").is_ok() {
            let v6 = inet("[::1]:0");
            let family = "error gaierror(-9, 'Address family for hostname not supported')";
            assert_eq!(sent(v6, inet("127.0.0.1:9")).await?, [family, "lost None"]);
        }
        Ok(())
    });
}
