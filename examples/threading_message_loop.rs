//! C7: sockets that do not block, and the bare message loop that they feed.
//!
//! One thread serves two clients: a socket without news says so at once instead of blocking, and
//! the loop goes on. Two threads stand for the clients. The listing takes messages by `pop()`, from
//! the end where they come in; its text says that they are processed as they come in, so here they
//! leave at the front.
//!
//! Run: cargo run --release --example threading_message_loop

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::yield_now;

use hilos::threading::{Event, Thread};

static ENVIAR: Event = Event::new();

/// Un cliente: su socket se bloquea, como lo hacen todos de forma predeterminada.
fn cliente(numero: u32, servidor: SocketAddr) -> io::Result<()> {
    let mut socket = TcpStream::connect(servidor)?;
    ENVIAR.wait(None);
    for mensaje in ["hola", "¿cómo va?", "adiós"] {
        socket.write_all(format!("cliente {numero}: {mensaje}\n").as_bytes())?;
    }
    Ok(())
}

/// Un socket sin bloqueo, con lo que llegó de una línea que no está completa.
struct Conexion {
    socket: BufReader<TcpStream>,
    linea: Vec<u8>,
    abierta: bool,
}

impl Conexion {
    fn aceptar(servidor: &TcpListener) -> io::Result<Self> {
        let (socket, _) = servidor.accept()?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: BufReader::new(socket),
            linea: Vec::new(),
            abierta: true,
        })
    }

    /// El mensaje que llegó; `None` si por ahora no hay, y entonces no espera.
    fn recibir(&mut self) -> io::Result<Option<String>> {
        match self.socket.read_until(b'\n', &mut self.linea) {
            Ok(0) => self.abierta = false,
            Ok(_) => {
                let linea = std::mem::take(&mut self.linea);
                return Ok(Some(String::from_utf8_lossy(&linea).trim_end().to_owned()));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(None)
    }
}

fn proceso_mensajes(mensaje: &str, procesados: &mut Vec<String>) {
    println!("{mensaje}");
    procesados.push(mensaje.to_owned());
}

fn main() -> Result<(), Box<dyn Error>> {
    let servidor = TcpListener::bind(("127.0.0.1", 0))?;
    let direccion = servidor.local_addr()?;
    let mut conexiones = Vec::new();
    for numero in 1..=2 {
        Thread::with_args(cliente, (numero, direccion)).start()?;
        conexiones.push(Conexion::aceptar(&servidor)?);
    }

    for conexion in &mut conexiones {
        assert_eq!(conexion.recibir()?, None);
    }
    println!("Nadie ha enviado nada, y el programa sigue");
    ENVIAR.set();

    let mut mensajes: VecDeque<String> = VecDeque::new();
    let mut procesados = Vec::new();
    while !mensajes.is_empty() || !conexiones.is_empty() {
        if let Some(mensaje) = mensajes.pop_front() {
            proceso_mensajes(&mensaje, &mut procesados);
        }
        for conexion in &mut conexiones {
            mensajes.extend(conexion.recibir()?);
        }
        conexiones.retain(|conexion| conexion.abierta);
        // asyncio asks the system to wake it; the bare loop looks again and again.
        yield_now();
    }
    check_order(&procesados);
    Ok(())
}

/// The messages of each client came in the order in which it sent them.
fn check_order(procesados: &[String]) {
    for numero in 1..=2 {
        let cliente = format!("cliente {numero}: ");
        let suyos = procesados.iter().filter_map(|m| m.strip_prefix(&cliente));
        assert!(suyos.eq(["hola", "¿cómo va?", "adiós"]), "{procesados:?}");
    }
}
