//! `asyncio`'s encrypted connections, beside tokio-rustls's; the times are the processor's.

#[path = "../../benches/common/cpu.rs"]
mod cpu;
#[path = "../../benches/common/settings.rs"]
mod settings;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cpu::cpu_time;
use criterion::{Criterion, criterion_group, criterion_main};
use hilos::asyncio::ssl::SslContext;
use hilos::asyncio::{self, StreamReader, StreamWriter};
use settings::row;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

criterion_group!(tls, tls_echo);
criterion_main!(tls);

/// What goes there and back.
const MESSAGE: [u8; 64] = [7; 64];

/// 64 bytes there and back, encrypted; hands are shaken before.
fn tls_echo(criterion: &mut Criterion) {
    let mut row = row(criterion, "asyncio_tls_echo");
    row.bench_function("hilos", |bencher| bencher.iter_custom(hilos_echo));
    row.bench_function("tokio_rustls", |bencher| bencher.iter_custom(tokio_echo));
}

fn certificate(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    tests.join("asyncio_ssl/certificates").join(name)
}

fn hilos_echo(turns: u64) -> Duration {
    asyncio::run(async move {
        let context = SslContext::server(certificate("server.pem"), certificate("server.key"))?;
        let server = asyncio::start_server(echo, "127.0.0.1", 0).with_ssl(&context);
        let server = server.await?;
        let port = server.sockets()[0].getsockname()?.port();
        let context = SslContext::new().with_cafile(certificate("authority.pem"))?;
        let client = asyncio::open_connection("localhost", port.unwrap_or_default());
        let (reader, writer) = client.with_ssl(&context).await?;
        ask(&reader, &writer, 1).await?;
        let begin = cpu_time();
        ask(&reader, &writer, turns).await?;
        let taken = cpu_time() - begin;
        writer.close();
        server.close();
        Ok(taken)
    })
    .unwrap()
}

async fn echo(reader: StreamReader, writer: StreamWriter) -> asyncio::Result<()> {
    loop {
        let data = reader.read(1024).await?;
        if data.is_empty() {
            return Ok(());
        }
        writer.write(data)?;
        writer.drain().await?;
    }
}

async fn ask(reader: &StreamReader, writer: &StreamWriter, turns: u64) -> asyncio::Result<()> {
    for _ in 0..turns {
        writer.write(MESSAGE)?;
        writer.drain().await?;
        black_box(reader.readexactly(MESSAGE.len()).await?);
    }
    Ok(())
}

type Boxed<T> = Result<T, Box<dyn std::error::Error>>;

fn tokio_echo(turns: u64) -> Duration {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let main = async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let (server, _) = listener.accept().await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let acceptor = acceptor()?;
        let echo = spawn_local(async move {
            let server = acceptor.accept(server).await.unwrap();
            tokio_echoes(server).await.unwrap();
        });
        let name = ServerName::try_from("localhost")?;
        let mut client = connector()?.connect(name, client).await?;
        tokio_ask(&mut client, 1).await?;
        let begin = cpu_time();
        tokio_ask(&mut client, turns).await?;
        let taken = cpu_time() - begin;
        echo.abort();
        Boxed::Ok(taken)
    };
    LocalSet::new().block_on(&runtime, main).unwrap()
}

fn acceptor() -> Boxed<TlsAcceptor> {
    let chain =
        CertificateDer::pem_file_iter(certificate("server.pem"))?.collect::<Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_file(certificate("server.key"))?;
    let config = ServerConfig::builder().with_no_client_auth();
    Ok(Arc::new(config.with_single_cert(chain?, key)?).into())
}

fn connector() -> Boxed<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate("authority.pem"))?)?;
    let config = ClientConfig::builder().with_root_certificates(roots);
    Ok(Arc::new(config.with_no_client_auth()).into())
}

async fn tokio_echoes<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> std::io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
        stream.flush().await?;
    }
}

async fn tokio_ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    turns: u64,
) -> std::io::Result<()> {
    for _ in 0..turns {
        stream.write_all(&MESSAGE).await?;
        stream.flush().await?;
        let mut answer = MESSAGE;
        stream.read_exact(&mut answer).await?;
        black_box(answer);
    }
    Ok(())
}
