//! M10: three processes, and who is whose parent.
//!
//! Run: cargo run --release --example multiprocessing_info

use hilos::multiprocessing::{self, Process, parent_process};

fn info(title: &str) {
    println!("{title}");
    println!("Nombre del módulo: {}", module_path!());
    println!("Proceso padre: {}", std::os::unix::process::parent_id());
    println!("ID del proceso {}", std::process::id());
}

fn tarea(tarea_id: u32, padre: u32) {
    info(&format!("Tarea {tarea_id}"));
    assert_eq!(std::os::unix::process::parent_id(), padre);
    assert_eq!(parent_process().map(|parent| parent.pid()), Some(padre));
}

fn main() -> Result<(), multiprocessing::Error> {
    info("Iniciamos los procesos");
    let padre = std::process::id();
    let subproceso1 = Process::new(tarea, (1, padre));
    let subproceso2 = Process::new(tarea, (2, padre));
    let subproceso3 = Process::new(tarea, (3, padre));
    subproceso1.start()?;
    subproceso2.start()?;
    subproceso3.start()?;
    subproceso1.join(None)?;
    subproceso2.join(None)?;
    subproceso3.join(None)?;
    for subproceso in [subproceso1, subproceso2, subproceso3] {
        assert_eq!(subproceso.exitcode(), Some(0));
    }
    Ok(())
}
