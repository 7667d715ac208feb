//! A tiny HTTP server on this machine, for programs that download something.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Serves in threads of its own until the program ends.
pub(crate) struct Server {
    address: SocketAddr,
}

impl Server {
    /// Starts a server that lets everyone wait for `latency`, and then answers with what `page`
    /// makes of the path, or with 404 if that is nothing.
    pub(crate) fn start<F>(latency: Duration, page: F) -> io::Result<Self>
    where
        F: Fn(&str) -> Option<String> + Clone + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let page = page.clone();
                thread::spawn(move || answer(client, latency, page));
            }
        });
        Ok(Self { address })
    }

    /// The URL of a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn answer(
    client: TcpStream,
    latency: Duration,
    page: impl Fn(&str) -> Option<String>,
) -> io::Result<()> {
    let mut lines = BufReader::new(&client).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    thread::sleep(latency);
    let path = request.split(' ').nth(1).unwrap_or("/");
    let (status, body) = match page(path) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", String::new()),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n");
    (&client).write_all(format!("{head}\r\n{body}").as_bytes())
}
