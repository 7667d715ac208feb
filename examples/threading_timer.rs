//! M27: a function that runs five seconds later, one with an argument, and one that is cancelled.
//!
//! Times of day are UTC.
//!
//! Run: cargo run --release --example threading_timer -- --scale 1
//! CI: --scale 0.1

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use hilos::threading::{self, Timer};
use strftime::strftime_x;

#[path = "common/scale.rs"]
mod scale;
#[path = "common/strftime.rs"]
mod strftime;

fn mostrar_hora() {
    println!("Se ejecuta en: {}", strftime_x());
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scale = scale::from_args(1.0);

    let inicio = Instant::now();
    let hilo = Timer::new(5.0 * scale, mostrar_hora);
    println!("Lanzamos el hilo en: {}", strftime_x());
    hilo.start()?;
    hilo.join(None)?;
    assert!(inicio.elapsed().as_secs_f64() >= 5.0 * scale);
    assert!(hilo.finished());
    saludar(3.0 * scale)?;
    cancelar(3.0 * scale)?;
    Ok(())
}

/// Podemos pasar argumentos a un Timer al igual que a un Thread.
fn saludar(espera: f64) -> Result<(), threading::Error> {
    let funcion = |msg| println!("{msg}");
    let hilo = Timer::new(espera, move || funcion("Hola mundo!"));
    hilo.start()?;
    hilo.join(None)
}

/// cancel() permite cancelar su programación.
fn cancelar(espera: f64) -> Result<(), threading::Error> {
    static EJECUTADO: AtomicBool = AtomicBool::new(false);
    let hilo = Timer::new(espera, || EJECUTADO.store(true, Relaxed));
    hilo.start()?;
    hilo.cancel();
    hilo.join(None)?;
    assert!(!EJECUTADO.load(Relaxed));
    Ok(())
}
