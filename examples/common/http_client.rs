//! As much of Python's `requests` as the programs need.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// What a server answers.
pub(crate) struct Response {
    pub(crate) status_code: u16,
    pub(crate) content: Vec<u8>,
}

/// Fetches a URL of the form `http://host/path` or `http://host:port/path`.
pub(crate) fn get(url: &str) -> io::Result<Response> {
    let rest = url.strip_prefix("http://").ok_or_else(bad_data)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (name, port) = host.split_once(':').unwrap_or((host, "80"));
    let mut socket = TcpStream::connect((name, port.parse().map_err(|_| bad_data())?))?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(bad_data)
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    Some(Response {
        status_code: head.split(' ').nth(1)?.parse().ok()?,
        content: answer[end + 4..].to_vec(),
    })
}

fn bad_data() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
