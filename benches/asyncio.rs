//! `asyncio`: tasks of one thread, beside those of a tokio `LocalSet`; the times are the processor's.

#![cfg(unix)]

#[path = "common/cpu.rs"]
mod cpu;
#[path = "common/settings.rs"]
mod settings;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use cpu::cpu_time;
use criterion::{Criterion, criterion_group, criterion_main};
use hilos::asyncio;
use settings::row;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking, spawn_local, yield_now};

criterion_group!(tasks, spawn_await, gather, sleep_0, sleeps);
criterion_group!(hand_overs, future_hand_over, queue, to_thread);
criterion_main!(tasks, hand_overs);

/// What `main` takes in a loop that runs already.
fn hilos<F>(main: F) -> Duration
where
    F: Future<Output = asyncio::Result<()>> + 'static,
{
    let measured = asyncio::run(async {
        let begin = cpu_time();
        main.await?;
        Ok(cpu_time() - begin)
    });
    measured.unwrap()
}

/// The same for tokio.
fn tokio<F: Future<Output = ()>>(main: F) -> Duration {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let begin = cpu_time();
        main.await;
        cpu_time() - begin
    })
}

fn spawn_await(criterion: &mut Criterion) {
    let mut row = row(criterion, "asyncio_spawn_await");
    row.bench_function("hilos", |bencher| {
        bencher.iter_custom(|turns| {
            hilos(async move {
                for turn in 0..turns {
                    asyncio::create_task(async move { Ok(turn) }).await?;
                }
                Ok(())
            })
        });
    });
    row.bench_function("tokio", |bencher| {
        bencher.iter_custom(|turns| {
            tokio(async move {
                for turn in 0..turns {
                    spawn_local(async move { turn }).await.unwrap();
                }
            })
        });
    });
}

/// A `JoinSet` has the results in the order in which tasks end, awaiting each in that of the calls.
fn gather(criterion: &mut Criterion) {
    const TASKS: u64 = 1000;
    let mut row = row(criterion, "asyncio_gather_1000");
    row.bench_function("hilos", |bencher| {
        bencher.iter_custom(|turns| {
            hilos(async move {
                for _ in 0..turns {
                    asyncio::gather((0..TASKS).map(async |n| Ok(n))).await?;
                }
                Ok(())
            })
        });
    });
    row.bench_function("tokio", |bencher| {
        bencher.iter_custom(|turns| {
            tokio(async move {
                for _ in 0..turns {
                    let mut tasks = JoinSet::new();
                    for n in 0..TASKS {
                        tasks.spawn_local(async move { n });
                    }
                    tasks.join_all().await;
                }
            })
        });
    });
    row.bench_function("tokio_each", |bencher| {
        bencher.iter_custom(|turns| {
            tokio(async move {
                for _ in 0..turns {
                    let spawn = |n| spawn_local(async move { n });
                    let tasks: Vec<_> = (0..TASKS).map(spawn).collect();
                    let mut results = Vec::new();
                    for task in tasks {
                        results.push(task.await.unwrap());
                    }
                }
            })
        });
    });
}

/// Two tasks let each other run; a turn is one of them.
fn sleep_0(criterion: &mut Criterion) {
    let mut row = row(criterion, "asyncio_sleep_0");
    row.bench_function("hilos", |bencher| {
        async fn player(steps: u64) -> asyncio::Result<()> {
            for _ in 0..steps {
                asyncio::sleep(0).await?;
            }
            Ok(())
        }
        bencher.iter_custom(|turns| hilos_pair(|| player(turns.div_ceil(2))));
    });
    row.bench_function("tokio", |bencher| {
        async fn player(steps: u64) {
            for _ in 0..steps {
                yield_now().await;
            }
        }
        bencher.iter_custom(|turns| tokio_pair(|| player(turns.div_ceil(2))));
    });
}

/// What two tasks of a kind take that have to do with each other.
fn hilos_pair<F>(player: impl Fn() -> F) -> Duration
where
    F: Future<Output = asyncio::Result<()>> + 'static,
{
    let players = [player(), player()];
    hilos(async move {
        let [one, other] = players.map(asyncio::create_task);
        one.await?;
        other.await
    })
}

/// The same for tokio.
fn tokio_pair<F: Future<Output = ()> + 'static>(player: impl Fn() -> F) -> Duration {
    let players = [player(), player()];
    tokio(async move {
        let [one, other] = players.map(spawn_local);
        one.await.unwrap();
        other.await.unwrap();
    })
}

const SLEEPERS: u64 = 100_000;

/// Many tasks sleep at once, each until a time of its own, and all are awaited.
fn sleeps(criterion: &mut Criterion) {
    // Between 100 and 200 milliseconds, in no order.
    fn delay(number: u64) -> Duration {
        Duration::from_micros(100_000 + number * 54_321 % SLEEPERS)
    }
    let mut row = row(criterion, "asyncio_sleeps_100000");
    row.bench_function("hilos", |bencher| {
        bencher.iter_custom(|turns| {
            hilos(async move {
                for _ in 0..turns {
                    let start = |number| asyncio::create_task(asyncio::sleep(delay(number)));
                    let tasks: Vec<_> = (0..SLEEPERS).map(start).collect();
                    for task in tasks {
                        task.await?;
                    }
                }
                Ok(())
            })
        });
    });
    row.bench_function("tokio", |bencher| {
        bencher.iter_custom(|turns| {
            tokio(async move {
                for _ in 0..turns {
                    // As ours, each begins to sleep when its task begins.
                    let sleep = async |number| tokio::time::sleep(delay(number)).await;
                    let start = |number| spawn_local(sleep(number));
                    let tasks: Vec<_> = (0..SLEEPERS).map(start).collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                }
            })
        });
    });
}

/// Two tasks wait for each other by turns, each time for a new future.
fn future_hand_over(criterion: &mut Criterion) {
    let mut row = row(criterion, "asyncio_future_hand_over");
    row.bench_function("hilos", |bencher| {
        type Place = Rc<Cell<Option<asyncio::Future<u64>>>>;

        async fn player(place: Place, turns: u64) -> asyncio::Result<()> {
            let event_loop = asyncio::get_running_loop()?;
            for turn in 0..turns {
                let mine = event_loop.create_future();
                if let Some(theirs) = place.replace(Some(mine.clone())) {
                    theirs.set_result(turn)?;
                }
                mine.await?;
            }
            place.take().map_or(Ok(()), |last| last.set_result(turns))
        }
        bencher.iter_custom(|turns| {
            let place = Place::default();
            hilos_pair(|| player(place.clone(), turns.div_ceil(2)))
        });
    });
    row.bench_function("tokio", |bencher| {
        type Place = Rc<Cell<Option<oneshot::Sender<u64>>>>;

        async fn player(place: Place, turns: u64) {
            for turn in 0..turns {
                let (sender, mine) = oneshot::channel();
                if let Some(theirs) = place.replace(Some(sender)) {
                    theirs.send(turn).unwrap();
                }
                mine.await.unwrap();
            }
            if let Some(last) = place.take() {
                last.send(turns).unwrap();
            }
        }
        bencher.iter_custom(|turns| {
            let place = Place::default();
            tokio_pair(|| player(place.clone(), turns.div_ceil(2)))
        });
    });
}

/// One task puts, another gets; a turn is one item.
fn queue(criterion: &mut Criterion) {
    for maxsize in [100, 1] {
        let mut row = row(criterion, &format!("asyncio_queue_{maxsize}"));
        row.bench_function("hilos", |bencher| {
            bencher.iter_custom(|turns| {
                hilos(async move {
                    let queue = asyncio::Queue::new(maxsize);
                    let items = queue.clone();
                    let putter = asyncio::create_task(async move {
                        for item in 0..turns {
                            items.put(item).await?;
                        }
                        Ok(())
                    });
                    let getter = asyncio::create_task(async move {
                        for _ in 0..turns {
                            queue.get().await?;
                        }
                        Ok(())
                    });
                    putter.await?;
                    getter.await
                })
            });
        });
        row.bench_function("tokio", |bencher| {
            bencher.iter_custom(|turns| {
                tokio(async move {
                    let (sender, mut receiver) = mpsc::channel(maxsize);
                    let putter = spawn_local(async move {
                        for item in 0..turns {
                            sender.send(item).await.unwrap();
                        }
                    });
                    let getter = spawn_local(async move {
                        for _ in 0..turns {
                            receiver.recv().await.unwrap();
                        }
                    });
                    putter.await.unwrap();
                    getter.await.unwrap();
                })
            });
        });
    }
}

/// A function that does nothing is run in another thread; both threads' time counts.
fn to_thread(criterion: &mut Criterion) {
    let mut row = row(criterion, "asyncio_to_thread");
    row.bench_function("hilos", |bencher| {
        bencher.iter_custom(|turns| {
            hilos(async move {
                for turn in 0..turns {
                    asyncio::to_thread(move || turn).await?;
                }
                Ok(())
            })
        });
    });
    row.bench_function("tokio", |bencher| {
        bencher.iter_custom(|turns| {
            tokio(async move {
                for turn in 0..turns {
                    spawn_blocking(move || turn).await.unwrap();
                }
            })
        });
    });
}
