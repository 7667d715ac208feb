//! The operations that wait: a program as coroutines.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;

use hilos::asyncio::{
    self, ALL_COMPLETED, Exception, FIRST_COMPLETED, FIRST_EXCEPTION, Future, Result, RuntimeError,
    ValueError, create_task, sleep,
};
use hilos::concurrent::futures::Timeout;

use crate::act::{act, cancelling};
use crate::program::{Block, Op};
use crate::slot::{Said, Slot, each};
use crate::world::{Item, World};

/// How a block ends: `Break` is Python's `return`.
type Flow = ControlFlow<i64>;

type Boxed<T> = Pin<Box<dyn std::future::Future<Output = Result<T>>>>;

/// The body of a task as a coroutine, which says how it ends.
pub(crate) fn coroutine(world: Rc<World>, id: usize, body: Block) -> Boxed<i64> {
    Box::pin(async move {
        match block(&world, &body).await {
            Ok(Flow::Break(value)) => Ok(value),
            Ok(Flow::Continue(())) => {
                world.say(id, "end");
                Ok(0)
            }
            Err(exception) => {
                world.say(id, format!("failed {}", exception.said()));
                Err(exception)
            }
        }
    })
}

/// Does the operations of a block; boxed, because they have blocks inside.
fn block(world: &Rc<World>, ops: &Block) -> Boxed<Flow> {
    let (world, ops) = (world.clone(), ops.clone());
    Box::pin(async move {
        for op in &*ops {
            if let Flow::Break(value) = statement(&world, op).await? {
                return Ok(Flow::Break(value));
            }
        }
        Ok(Flow::Continue(()))
    })
}

async fn statement(world: &Rc<World>, op: &Op) -> Result<Flow> {
    match op.name {
        "return" => {
            world.say(op.id, "");
            return Ok(Flow::Break(op.numbers[0]));
        }
        "try" => return try_(world, op).await,
        "lock" | "condition" | "semaphore" | "group" | "timeout" | "repeat" => {
            let flow = within(world, op).await?;
            if flow.is_continue() {
                let said = match op.name {
                    "timeout" => expired(world, op.id),
                    _ => "out",
                };
                world.say(op.id, said);
            }
            return Ok(flow);
        }
        "as_completed" => as_completed(world, op).await?,
        "gather" | "shield" | "wait" | "wait_for" | "await" => {
            let said = combined(world, op).await?;
            world.say(op.id, said);
        }
        _ => match wait_for_object(world, op).await? {
            Some(said) => world.say(op.id, said),
            None => act(world, op)?,
        },
    }
    Ok(Flow::Continue(()))
}

fn expired(world: &World, id: usize) -> &'static str {
    match world.limits.borrow().get(&id) {
        Some(limit) if limit.expired() => "True",
        _ => "False",
    }
}

/// Waits for time or for one of the synchronisation objects; `None` if the operation is no such.
async fn wait_for_object(world: &Rc<World>, op: &Op) -> Result<Option<String>> {
    let n = |place: usize| op.numbers[place] as usize;
    match op.name {
        "sleep" => sleep(op.numbers[0] as f64 / 1000.0).await?,
        "acquire" => world.locks[n(0)].acquire().await?,
        "event_wait" => world.events[n(0)].wait().await?,
        "cond_wait" => world.conditions[n(0)].wait().await?,
        "cond_wait_for" => {
            let counter = || world.counters[n(1)].get();
            world.conditions[n(0)]
                .wait_for(|| counter() >= op.numbers[2])
                .await?;
            return Ok(Some(counter().to_string()));
        }
        "sem_acquire" => world.semaphore(n(0)).acquire().await?,
        "barrier_wait" => return Ok(Some(world.barriers[n(0)].wait().await?.to_string())),
        "barrier_reset" => world.barriers[n(0)].reset().await?,
        "barrier_abort" => world.barriers[n(0)].abort().await?,
        "put" => world.queue(n(0)).put(Item(op.numbers[1])).await?,
        "get" => return Ok(Some(world.queue(n(0)).get().await?.0.to_string())),
        "join" => world.queue(n(0)).join().await?,
        _ => return Ok(None),
    }
    Ok(Some(String::new()))
}

/// `try`, `except` and `finally`.
async fn try_(world: &Rc<World>, op: &Op) -> Result<Flow> {
    let mut result = block(world, &op.blocks[0]).await;
    if let Err(exception) = &result
        && catches(op.numbers[0], exception)
    {
        world.say(
            op.id,
            format!("caught {} {}", exception.said(), cancelling()),
        );
        match block(world, &op.blocks[1]).await {
            Ok(Flow::Continue(())) if op.numbers[1] > 0 => {}
            handled => result = handled,
        }
    }
    if op.blocks[2].is_empty() {
        return result;
    }
    world.say(op.id, "finally");
    match block(world, &op.blocks[2]).await? {
        Flow::Continue(()) => result,
        returned => Ok(returned),
    }
}

fn catches(kind: i64, exception: &Exception) -> bool {
    match kind {
        0 => exception.is_cancelled(),
        1 => exception.is::<ValueError>(),
        2 => exception.is_timeout(),
        3 => !exception.is_base(),
        _ => true,
    }
}

/// The statements that are Python's `with` and `for`.
async fn within(world: &Rc<World>, op: &Op) -> Result<Flow> {
    let n = op.numbers.first().copied().unwrap_or_default();
    let body = async || {
        world.say(op.id, "in");
        block(world, &op.blocks[0]).await
    };
    match op.name {
        "lock" => {
            let lock = &world.locks[n as usize];
            let guard = lock.lock().await?;
            released(body().await, || lock.locked(), guard)
        }
        "condition" => {
            let condition = &world.conditions[n as usize];
            let guard = condition.lock().await?;
            released(body().await, || condition.locked(), guard)
        }
        "semaphore" if n == 2 => {
            world.bounded.acquire().await?;
            let result = body().await;
            world.bounded.release()?;
            result
        }
        "semaphore" => {
            let _held = world.semaphores[n as usize].lock().await?;
            body().await
        }
        "group" => {
            asyncio::task_group(async |group| {
                world.groups.borrow_mut().insert(op.id, group);
                body().await
            })
            .await
        }
        "timeout" => {
            asyncio::timeout(limit(n), async |limit| {
                world.limits.borrow_mut().insert(op.id, limit);
                body().await
            })
            .await
        }
        _ => {
            for _ in 0..n {
                if let Flow::Break(value) = body().await? {
                    return Ok(Flow::Break(value));
                }
            }
            Ok(Flow::Continue(()))
        }
    }
}

/// Drops the guard of a lock. Python complains if somebody else has released it.
fn released<G>(result: Result<Flow>, locked: impl Fn() -> bool, guard: G) -> Result<Flow> {
    let held = locked();
    drop(guard);
    match held {
        true => result,
        false => Err(RuntimeError::new("Lock is not acquired.").into()),
    }
}

/// A number of milliseconds as a timeout.
fn limit(milliseconds: i64) -> Timeout {
    match milliseconds {
        ..0 => Timeout::NEVER,
        _ => Timeout::from(milliseconds as f64 / 1000.0),
    }
}

/// An argument of the functions that combine futures.
pub(crate) enum Argument {
    Slot(Slot),
    Coroutine(Boxed<i64>),
}

/// The arguments that are there: a slot may be empty.
pub(crate) fn arguments(world: &Rc<World>, ops: &Block) -> Vec<Argument> {
    ops.iter()
        .filter_map(|op| match op.name {
            "ref" => world.slot(op.numbers[0] as usize).map(Argument::Slot),
            _ => {
                let body = coroutine(world.clone(), op.id, op.blocks[0].clone());
                Some(Argument::Coroutine(body))
            }
        })
        .collect()
}

/// Futures of all arguments, or the arguments themselves if all are coroutines.
enum Combined {
    Coroutines(Vec<Boxed<i64>>),
    Futures(Vec<Future<i64>>),
}

fn combine(arguments: Vec<Argument>) -> Combined {
    if arguments
        .iter()
        .all(|argument| matches!(argument, Argument::Coroutine(_)))
    {
        let coroutines = arguments.into_iter().filter_map(|argument| match argument {
            Argument::Coroutine(coroutine) => Some(coroutine),
            Argument::Slot(_) => None,
        });
        return Combined::Coroutines(coroutines.collect());
    }
    let futures = arguments.into_iter().map(|argument| match argument {
        Argument::Slot(slot) => slot.future(),
        Argument::Coroutine(coroutine) => create_task(coroutine).into(),
    });
    Combined::Futures(futures.collect())
}

pub(crate) fn gather(arguments: Vec<Argument>, return_exceptions: bool) -> Slot {
    match (combine(arguments), return_exceptions) {
        (Combined::Coroutines(all), false) => Slot::List(asyncio::gather(all)),
        (Combined::Coroutines(all), true) => Slot::Outcomes(asyncio::gather_results(all)),
        (Combined::Futures(all), false) => Slot::List(asyncio::gather(&all)),
        (Combined::Futures(all), true) => Slot::Outcomes(asyncio::gather_results(&all)),
    }
}

pub(crate) fn shield(argument: Argument) -> Slot {
    match argument {
        Argument::Coroutine(coroutine) => Slot::Future(asyncio::shield(coroutine)),
        Argument::Slot(Slot::Task(task)) => Slot::Future(asyncio::shield(&task)),
        Argument::Slot(Slot::Future(future)) => Slot::Future(asyncio::shield(&future)),
        Argument::Slot(Slot::List(list)) => Slot::List(asyncio::shield(&list)),
        Argument::Slot(Slot::Outcomes(list)) => Slot::Outcomes(asyncio::shield(&list)),
    }
}

/// The functions that wait for futures, and what they return.
async fn combined(world: &Rc<World>, op: &Op) -> Result<String> {
    let empty = || Ok("empty".to_owned());
    if op.name == "await" {
        return match world.slot(op.numbers[0] as usize) {
            Some(slot) => Ok(each!(&slot, f => f.await?.said())),
            None => empty(),
        };
    }
    let mut arguments = arguments(world, &op.blocks[0]);
    Ok(match op.name {
        "gather" => {
            let gathered = gather(arguments, op.numbers[0] > 0);
            each!(gathered, f => f.await?.said())
        }
        "wait" => wait(op, arguments).await?,
        "shield" => match arguments.pop() {
            Some(argument) => each!(shield(argument), f => f.await?.said()),
            None => return empty(),
        },
        _ => match arguments.pop() {
            Some(Argument::Coroutine(coroutine)) => {
                asyncio::wait_for(coroutine, limit(op.numbers[0]))
                    .await?
                    .said()
            }
            Some(Argument::Slot(slot)) => {
                each!(&slot, f => asyncio::wait_for(f, limit(op.numbers[0])).await?.said())
            }
            None => return empty(),
        },
    })
}

async fn wait(op: &Op, arguments: Vec<Argument>) -> Result<String> {
    let futures: Vec<_> = arguments
        .into_iter()
        .filter_map(|argument| match argument {
            Argument::Slot(slot) => Some(slot.future()),
            Argument::Coroutine(_) => None,
        })
        .collect();
    let when = [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED][op.numbers[1] as usize];
    let (done, pending) = asyncio::wait(&futures, limit(op.numbers[0]), when).await?;
    let places = |part: &[Future<i64>]| -> Vec<i64> {
        let places = (0..).zip(&futures).filter(|(_, f)| part.contains(f));
        places.map(|(place, _)| place).collect()
    };
    Ok(vec![places(&done), places(&pending)].said())
}

async fn as_completed(world: &Rc<World>, op: &Op) -> Result<()> {
    let limit = limit(op.numbers[1]);
    let completed = match combine(arguments(world, &op.blocks[0])) {
        Combined::Coroutines(all) => asyncio::as_completed(all, limit),
        Combined::Futures(all) => asyncio::as_completed(&all, limit),
    };
    if op.numbers[0] > 0 {
        while let Some(future) = completed.next().await? {
            world.say(op.id, outcome(&future));
        }
    } else {
        for result in completed {
            world.say(op.id, result.await?.said());
        }
    }
    world.say(op.id, "out");
    Ok(())
}

fn outcome(future: &Future<i64>) -> String {
    match future.cancelled() {
        true => "cancelled".to_owned(),
        false => future.result().said(),
    }
}
