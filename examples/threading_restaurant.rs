//! R1, R2, R3: a restaurant whose two waiters work one after the other, and then side by side; then
//! one waiter who does not stand and wait.
//!
//! The four orders take 43.8 s the first way, 23.6 s the second, and 7.5 s the third. The log lines are the text's;
//! their clock shows the restaurant's time, whatever the scale. The Python twin,
//! `examples/python/restaurant.py`, runs for comparison.
//!
//! Run: cargo run --release --example threading_restaurant -- --scale 0.1
//! CI: --scale 0.02

use std::error::Error;
use std::time::Instant;

use hilos::asyncio;
use hilos::queue::Queue;
use hilos::threading::{self, Mutex, Thread};

#[path = "common/logging.rs"]
mod logging;
#[path = "common/python.rs"]
mod python;
#[path = "common/time.rs"]
mod time;

type Products = &'static [&'static str];

const ORDERS: [Products; 4] = [
    &["burger", "soda"],                     // Orden 1
    &["burger", "burger", "beer", "frites"], // Orden 2
    &["beer", "beer", "beer"],               // Orden 3
    &["burger", "frites"],                   // Orden 4
];

fn preparation_time(product: &str) -> f64 {
    match product {
        "burger" => 7.5,
        "frites" => 4.0,
        "soda" => 1.0,
        "beer" => 1.2,
        other => unreachable!("{other} is not on the menu"),
    }
}

#[derive(Clone, Copy)]
struct Order {
    id: usize,
    products: Products,
}

/// El mesonero: recibe las ordenes y su carnet de identificación.
#[derive(Clone)]
struct Waiter {
    orders: Queue<Order>,
    id: usize,
}

impl Waiter {
    /// Mientra tengas ordenes por entregar, las ira pidiendo a la cocina.
    fn request_orders(&self) {
        // `while not empty(): get()` in one step: between two, the other waiter could take it.
        for order in self.orders.try_iter() {
            self.request_order(&order);
        }
    }

    /// Solicita a la cocina una orden (es decir una lista de productos).
    fn request_order(&self, order: &Order) {
        let (waiter, id) = (self.id, order.id);
        logging::info!("<Waiter: {waiter}> [Order: {id}] {:*^30}", "Request order!");
        for product in order.products {
            self.request_product(product, id);
        }
        self.dispatch_order(order);
    }

    /// Solicita un producto y espera a que se le entregue.
    fn request_product(&self, product: &str, order_id: usize) {
        let (waiter, time_sleep) = (self.id, preparation_time(product));
        logging::info!(
            "<Waiter: {waiter}> [Order: {order_id}] Request {product}. Wait {time_sleep} seg..."
        );
        time::sleep(time_sleep);
        logging::info!("<Waiter: {waiter}> [Order: {order_id}] Done {product}");
    }

    /// Pide todas las ordenes casi en el mismo momento, sin importar si ya la orden anterior esta
    /// lista.
    async fn request_orders_at_once(&self) -> asyncio::Result<()> {
        let orders: Vec<Order> = self.orders.try_iter().collect();
        let coros = orders.iter().map(|order| {
            let (waiter, order) = (self.clone(), *order);
            async move { waiter.request_order_at_once(order).await }
        });
        asyncio::gather(coros).await.map(drop)
    }

    /// Pide los productos a la cocina y despacha la orden.
    async fn request_order_at_once(&self, order: Order) -> asyncio::Result<()> {
        let (waiter, id) = (self.id, order.id);
        logging::info!("<Waiter: {waiter}> [Order: {id}] {:*^30}", "Request order!");
        let coros = order.products.iter().map(|product| {
            let waiter = self.clone();
            async move { waiter.await_product(product, id).await }
        });
        asyncio::gather(coros).await?;
        self.dispatch_order(&order);
        Ok(())
    }

    /// Pide un producto a la cocina, y atiende a otros mientras tanto.
    async fn await_product(&self, product: &str, order_id: usize) -> asyncio::Result<()> {
        let (waiter, time_sleep) = (self.id, preparation_time(product));
        logging::info!(
            "<Waiter: {waiter}> [Order: {order_id}] Request {product}. Wait {time_sleep} seg..."
        );
        asyncio::sleep(time_sleep * time::scale()).await?;
        logging::info!("<Waiter: {waiter}> [Order: {order_id}] Done {product}");
        Ok(())
    }

    /// Despacha los producto de una orden.
    fn dispatch_order(&self, order: &Order) {
        let (waiter, id) = (self.id, order.id);
        logging::info!("<Waiter: {waiter}> [Order: {id}] Done order!");
        for product in order.products {
            logging::info!("<Waiter: {waiter}> [Order: {id}] Dispatch {product}");
        }
        logging::info!(
            "<Waiter: {waiter}> [Order: {id}] {:-^30}\n",
            "Done dispatch!"
        );
        DISPATCHED.lock().push(id);
    }
}

/// La cajera: quien recibe las ordenes y se las pasa a los mesoneros.
struct Cashier {
    orders: Queue<Order>,
    waiters: Vec<Waiter>,
}

impl Cashier {
    /// Registra el turno de cada mesonero.
    fn new() -> Self {
        let orders = Queue::new(0);
        let waiter = |id: usize| Waiter {
            orders: orders.clone(),
            id: id + 1,
        };
        let waiters = (0..2).map(waiter).collect();
        Self { orders, waiters }
    }

    /// Se reciben las ordenes de los clientes.
    fn receive_orders(&self, orders: &[Products]) -> Result<(), Box<dyn Error>> {
        for (id, products) in orders.iter().enumerate() {
            self.orders.put(Order { id, products })?;
        }
        logging::info!("Received orders");
        Ok(())
    }
}

/// R1: cada mesonero espera a que termine el anterior.
fn sync() -> Result<(), Box<dyn Error>> {
    let cashier = Cashier::new();
    cashier.receive_orders(&ORDERS)?;
    for waiter in cashier.waiters {
        waiter.request_orders();
    }
    Ok(())
}

/// R2: un hilo por cada mesonero.
fn threads() -> Result<(), Box<dyn Error>> {
    let cashier = Cashier::new();
    cashier.receive_orders(&ORDERS)?;
    for waiter in cashier.waiters {
        let thread = Thread::new(move || waiter.request_orders());
        thread.start()?;
    }
    // As the end of the program would: the text measures all of it.
    threading::shutdown();
    Ok(())
}

/// R3: un solo mesonero, que no espera parado.
fn coroutines() -> Result<(), Box<dyn Error>> {
    let mut cashier = Cashier::new();
    cashier.receive_orders(&ORDERS)?;
    let waiter = cashier.waiters.swap_remove(0);
    asyncio::run(async move { waiter.request_orders_at_once().await })?;
    Ok(())
}

/// A way to run the restaurant: its name, here and in the twin, and how long it has to take.
struct Way {
    name: &'static str,
    run: fn() -> Result<(), Box<dyn Error>>,
    seconds: f64,
}

const WAYS: [Way; 3] = [
    Way {
        name: "sync",
        run: sync,
        seconds: 43.8,
    },
    Way {
        name: "threads",
        run: threads,
        seconds: 23.6,
    },
    Way {
        name: "asyncio",
        run: coroutines,
        seconds: 7.5,
    },
];

/// When the restaurant opened.
static OPENED: Mutex<Option<Instant>> = Mutex::new(None);

/// The orders that were dispatched.
static DISPATCHED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn main() -> Result<(), Box<dyn Error>> {
    time::scale_from_args(0.1);
    // format='%(asctime)s %(message)s', datefmt='%H:%M:%S'
    logging::basic_config(|_, _, message| format!("{} {message}", asctime()));

    let ways = WAYS.map(|way| way.name);
    let mut times = Vec::new();
    for way in WAYS {
        times.push(open(&way)?);
    }
    let scale = time::scale().to_string();
    let args = [&["--quiet", "--scale", &scale], &ways[..]].concat();
    let twin = python::run("restaurant.py", &args)?;
    python::compare(&ways, &times, twin.as_deref());
    Ok(())
}

/// Opens the restaurant, has it serve every order, and returns how long it took in seconds.
fn open(way: &Way) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    *OPENED.lock() = Some(start);
    (way.run)()?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}: {seconds:.2} s", way.name);

    let least = way.seconds * time::scale();
    assert!(seconds >= least, "somebody did not wait");
    let mut dispatched = std::mem::take(&mut *DISPATCHED.lock());
    dispatched.sort();
    assert_eq!(dispatched, [0, 1, 2, 3]);
    Ok(seconds)
}

/// The restaurant's clock, which starts at midnight when it opens.
fn asctime() -> String {
    let opened = OPENED.lock().expect("it is open");
    let seconds = (opened.elapsed().as_secs_f64() / time::scale()) as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}
