//! The operations that do not wait, which callbacks may do too.

use std::rc::Rc;

use hilos::asyncio::{
    self, CancelledError, Exception, Result, RuntimeError, SystemExit, TaskOptions, TimeoutError,
    ValueError, all_tasks, current_task,
};

use crate::program::{Block, Op};
use crate::run::{arguments, coroutine, gather, shield};
use crate::slot::{Said, Slot, each};
use crate::world::{AnyHandle, Item, VAR, World};

/// Does the operations of a callback.
pub(crate) fn act_all(world: &Rc<World>, block: &Block) -> Result<()> {
    block.iter().try_for_each(|op| act(world, op))
}

/// Does one operation and says so.
pub(crate) fn act(world: &Rc<World>, op: &Op) -> Result<()> {
    if let Some(said) = perform(world, op)? {
        world.say(op.id, said);
    }
    Ok(())
}

/// Does one operation, and returns what there is to say, if anything.
fn perform(world: &Rc<World>, op: &Op) -> Result<Option<String>> {
    let numbers = &op.numbers;
    let n = |place: usize| numbers[place] as usize;
    match op.name {
        "release" => world.locks[n(0)].release()?,
        "event_set" => world.events[n(0)].set(),
        "event_clear" => world.events[n(0)].clear(),
        "notify" => world.conditions[n(0)].notify(n(1))?,
        "notify_all" => world.conditions[n(0)].notify_all()?,
        "sem_release" => world.semaphore(n(0)).release()?,
        "put_nowait" => world.queue(n(0)).put_nowait(Item(numbers[1]))?,
        "get_nowait" => return Ok(Some(world.queue(n(0)).get_nowait()?.0.to_string())),
        "task_done" => world.queue(n(0)).task_done()?,
        "shutdown" => world.queue(n(0)).shutdown(numbers[1] > 0),
        "bump" => {
            let counter = &world.counters[n(0)];
            counter.update(|count| count + 1);
            return Ok(Some(counter.get().to_string()));
        }
        "set_var" => drop(VAR.set(numbers[0])),
        "get_var" => return Ok(Some(VAR.get_or(0).to_string())),
        "tasks" => return Ok(Some(all_tasks().len().to_string())),
        "raise" => {
            world.say(op.id, "");
            return Err(error(op));
        }
        "spawn" | "spawn_eager" | "group_spawn" | "start_gather" | "start_shield" => {
            return start(world, op);
        }
        "call_soon" | "call_later" | "call_at" | "cancel_handle" | "timers" | "reschedule" => {
            return schedule(world, op);
        }
        _ => return of_future(world, op).map(Some),
    }
    Ok(Some(String::new()))
}

fn error(op: &Op) -> Exception {
    let message = format!("e{}", op.id);
    match op.numbers[0] {
        0 => ValueError::new(message).into(),
        1 => RuntimeError::new(message).into(),
        2 => TimeoutError::new(message).into(),
        3 => CancelledError::default().into(),
        _ => SystemExit(op.id as i32).into(),
    }
}

/// The operations that fill a slot.
fn start(world: &Rc<World>, op: &Op) -> Result<Option<String>> {
    let block = &op.blocks[0];
    let n = |place: usize| op.numbers[place] as usize;
    let body = || coroutine(world.clone(), op.id, block.clone());
    let (slot, future) = match op.name {
        "spawn" => (n(0), Slot::Task(world.event_loop.create_task(body())?)),
        "spawn_eager" => {
            let eager = TaskOptions::new().with_eager_start(true);
            (n(0), Slot::Task(eager.create_task(body())))
        }
        "group_spawn" => {
            let Some(group) = world.groups.borrow().get(&n(0)).cloned() else {
                return Ok(None);
            };
            let task = group.try_create_task(TaskOptions::new(), body())?;
            (n(1), Slot::Task(task))
        }
        "start_gather" => (n(0), gather(arguments(world, block), n(1) > 0)),
        _ => {
            let Some(argument) = arguments(world, block).pop() else {
                return Ok(None);
            };
            (n(0), shield(argument))
        }
    };
    world.fill(slot, future);
    Ok(Some(String::new()))
}

/// The operations on handles and timers.
fn schedule(world: &Rc<World>, op: &Op) -> Result<Option<String>> {
    let event_loop = &world.event_loop;
    let callback = || {
        let (world, block) = (world.clone(), op.blocks[0].clone());
        move || act_all(&world, &block)
    };
    let seconds = |place: usize| op.numbers[place] as f64 / 1000.0;
    let handle = match op.name {
        "call_soon" => AnyHandle::Soon(event_loop.call_soon(callback())?),
        "call_later" => AnyHandle::Later(event_loop.call_later(seconds(0), callback())?),
        "call_at" => AnyHandle::Later(event_loop.call_at(seconds(0), callback())?),
        "timers" => {
            timers(world, op)?;
            return Ok(Some(String::new()));
        }
        "reschedule" => {
            let limit = world
                .limits
                .borrow()
                .get(&(op.numbers[0] as usize))
                .cloned();
            let Some(limit) = limit else { return Ok(None) };
            limit.reschedule(event_loop.time() + seconds(1))?;
            return Ok(Some(String::new()));
        }
        _ => {
            let handle = world
                .handles
                .borrow()
                .get(&(op.numbers[0] as usize))
                .cloned();
            return Ok(Some(handle.map_or("empty".to_owned(), cancel_handle)));
        }
    };
    world.handles.borrow_mut().insert(op.id, handle);
    Ok(Some(String::new()))
}

fn cancel_handle(handle: AnyHandle) -> String {
    let cancelled = match handle {
        AnyHandle::Soon(handle) => {
            handle.cancel();
            handle.cancelled()
        }
        AnyHandle::Later(handle) => {
            handle.cancel();
            handle.cancelled()
        }
    };
    python_bool(cancelled)
}

/// Makes many timers of equal times, and cancels most.
fn timers(world: &Rc<World>, op: &Op) -> Result<()> {
    let mut handles = Vec::new();
    for n in 0..op.numbers[0] {
        let (world_of_call, id) = (world.clone(), op.id);
        let say = move || world_of_call.say(id, n);
        let delay = (n * 7 % 5) as f64 / 1000.0;
        handles.push(world.event_loop.call_later(delay, say)?);
    }
    for (n, handle) in handles.into_iter().enumerate() {
        if n % 3 > 0 {
            handle.cancel();
        }
    }
    Ok(())
}

/// The operations on the future in a slot, or on the current task.
fn of_future(world: &Rc<World>, op: &Op) -> Result<String> {
    match op.name {
        "cancelling" => {
            return Ok(cancelling());
        }
        "uncancel" => {
            let task = current_task().ok_or_else(|| asyncio::RuntimeError::new("no task"))?;
            return Ok(task.uncancel().to_string());
        }
        "remove_callback" => {
            let callback = world
                .callbacks
                .borrow()
                .get(&(op.numbers[0] as usize))
                .cloned();
            return Ok(match callback {
                Some((slot, id)) => each!(slot, f => f.remove_done_callback(id)).to_string(),
                None => "empty".to_owned(),
            });
        }
        _ => {}
    }
    let Some(slot) = world.slot(op.numbers[0] as usize) else {
        return Ok("empty".to_owned());
    };
    Ok(match op.name {
        "cancel" => python_bool(each!(&slot, f => match op.numbers[1] {
            0 => f.cancel(),
            message => f.cancel_with(format!("m{message}")),
        })),
        "state" => slot.state().to_owned(),
        "result" => each!(&slot, f => f.result()?.said()),
        "exception" => each!(&slot, f => f.exception()?.map_or("None".to_owned(), |e| e.said())),
        "set_result" => {
            slot.future().set_result(op.numbers[1])?;
            String::new()
        }
        "settle" => {
            let _ = slot.future().set_result(0);
            String::new()
        }
        "set_exception" => {
            let error = ValueError::new(format!("e{}", op.id));
            slot.future().set_exception(error)?;
            String::new()
        }
        "add_callback" => {
            let (world_of_call, block) = (world.clone(), op.blocks[0].clone());
            let id =
                each!(&slot, f => f.add_done_callback(move |_| act_all(&world_of_call, &block)));
            world.callbacks.borrow_mut().insert(op.id, (slot, id));
            "None".to_owned()
        }
        name => unreachable!("there is no operation {name}"),
    })
}

/// How often the current task was cancelled.
pub(crate) fn cancelling() -> String {
    current_task().map_or("None".to_owned(), |task| task.cancelling().to_string())
}

fn python_bool(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}
