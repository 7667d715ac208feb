//! As much of Python's `aiohttp.ClientSession` as the programs need.

use hilos::asyncio::{self, Exception, Result};

/// What a server answers.
#[allow(dead_code, reason = "not every program looks at all of it")]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Fetches pages of the form `http://host:port/path`.
#[derive(Clone, Default)]
pub(crate) struct ClientSession;

impl ClientSession {
    pub(crate) async fn get(&self, url: &str) -> Result<Response> {
        let rest = url.strip_prefix("http://").ok_or_else(|| invalid(url))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, port) = host.split_once(':').unwrap_or((host, "80"));
        let (reader, writer) = asyncio::open_connection(name, port.parse()?).await?;
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        writer.write(request)?;
        let head = String::from_utf8(reader.readuntil(b"\r\n\r\n").await?)?;
        let body = String::from_utf8(reader.read_to_end().await?)?;
        writer.close();
        writer.wait_closed().await?;
        parse(&head, body).ok_or_else(|| invalid(url))
    }
}

fn parse(head: &str, body: String) -> Option<Response> {
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    };
    let headers = lines.filter_map(header).collect();
    Some(Response {
        status,
        headers,
        body,
    })
}

fn invalid(url: &str) -> Exception {
    Exception::new(
        "ClientError",
        format!("no answer that makes sense from {url}"),
    )
}
