//! M6: a daemon watches the file that another thread writes; the program ends with the writer.
//!
//! Run: cargo run --release --example threading_daemon -- --scale 1

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use hilos::threading::{self, Thread};

#[path = "common/time.rs"]
mod time;

/// Los turnos del demonio.
static CONTADOR: AtomicU32 = AtomicU32::new(0);

/// Chequea tamaño de archivo
fn chequear(nombre: &Path) {
    let mut contador = 0;
    let mut tam = 0;
    while contador < 100 {
        contador += 1;
        CONTADOR.store(contador, Relaxed);
        // Si existe
        if let Ok(estado) = fs::metadata(nombre) {
            tam = estado.len();
        }
        println!(
            "{} {contador} {tam} bytes",
            threading::current_thread().name()
        );
        time::sleep(0.1);
    }
}

/// Escribe en archivo
fn escribir(nombre: &Path) -> io::Result<()> {
    let mut contador = 1;
    while contador <= 10 {
        let mut archivo = BufWriter::new(File::options().append(true).create(true).open(nombre)?);
        archivo.write_all(b"1")?;
        println!("{} {contador}", threading::current_thread().name());
        time::sleep(0.3);
        contador += 1;
        archivo.flush()?; // Python does so where its `with` block ends
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    time::scale_from_args(1.0);
    let nombre = std::env::temp_dir().join(format!("archivo-{}.txt", std::process::id()));
    if nombre.exists() {
        fs::remove_file(&nombre)?;
    }

    let (leido, escrito) = (nombre.clone(), nombre.clone());
    let hilo1 = Thread::new(move || chequear(&leido))
        .with_name("chequear")
        .with_daemon(true);
    let hilo2 = Thread::new(move || escribir(&escrito)).with_name("escribir");
    hilo1.start()?;
    hilo2.start()?;

    // The program does just this when `main` has returned; here, the result is looked at as well.
    threading::shutdown();
    assert!(!hilo2.is_alive() && hilo1.is_alive());
    assert!(CONTADOR.load(Relaxed) < 100);
    assert_eq!(fs::read_to_string(&nombre)?, "1111111111");
    fs::remove_file(&nombre)?;
    Ok(())
}
