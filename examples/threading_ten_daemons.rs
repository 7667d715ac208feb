//! M8: ten daemons, the list of the threads that are alive, and a join of each but the main one.
//!
//! Run: cargo run --release --example threading_ten_daemons

use hilos::threading::{self, Mutex, Thread};

static CONTADORES: Mutex<[u32; 10]> = Mutex::new([0; 10]);

fn contar(numero: usize) {
    let mut contador = 0;
    while contador < 10 {
        contador += 1;
        println!("{numero} {} {contador}", threading::get_ident());
        CONTADORES.lock()[numero - 1] = contador;
    }
}

fn main() -> Result<(), threading::Error> {
    for numero in 1..11 {
        let hilo = Thread::with_args(contar, (numero,)).with_daemon(true);
        hilo.start()?;
    }

    // Obtiene hilo principal
    let hilo_ppal = threading::main_thread();

    // Recorre hilos activos para controlar estado de su ejecución
    for hilo in threading::enumerate() {
        // Si el hilo es hilo ppal continua al siguiente hilo activo
        if hilo == hilo_ppal {
            continue;
        }
        // Se obtiene información hilo actual y núm. hilos activos
        println!(
            "Nombre:  {} Id:  {} Demonio:  {} Activo:  {}",
            hilo.name(),
            hilo.ident().expect("it was started"),
            if hilo.daemon() { "True" } else { "False" },
            threading::active_count()
        );
        // El programa esperará a que este hilo finalice:
        hilo.join(None)?;
    }
    assert_eq!(*CONTADORES.lock(), [10; 10]);
    assert_eq!(threading::enumerate(), [hilo_ppal]);
    Ok(())
}
