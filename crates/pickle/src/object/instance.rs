//! Objects of classes that are not known here: how Python would make them, as data.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::{Dict, Global, Object, Tuple, burial};

/// An object of a class that is not known here, as what Python would do to make it.
///
/// Nothing is ever called. Pickling writes the same instructions again, so that an object passes
/// unchanged through a program that knows nothing about its class.
///
/// ```
/// use hilos_pickle::{Global, Instance, Object, Tuple};
///
/// let third = Tuple::from_iter([1, 3].map(Object::from));
/// let third = Instance::reduce(Global::new("fractions", "Fraction"), third);
/// assert!(third.is_a("fractions", "Fraction"));
/// assert_eq!(format!("{third:?}"), "Fraction(1, 3)");
/// ```
///
/// # Differences from Python
///
/// Two instances are equal if they were made alike, whatever their class says, and `Debug` prints
/// how they were made.
///
/// CPython: [`object.__reduce__`](https://docs.python.org/3.14/library/pickle.html#object.__reduce__)
#[derive(Clone)]
pub struct Instance(Arc<Node>);

struct Node {
    construction: Construction,
    function: Object,
    args: Tuple,
    kwargs: Option<Dict>,
    steps: Mutex<Vec<Step>>,
}

/// What makes an [`Instance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Construction {
    /// `function(*args)`.
    Reduce,
    /// `function.__new__(function, *args)`.
    NewObject,
    /// `function.__new__(function, *args, **kwargs)`.
    NewObjectEx,
}

/// What is done to an [`Instance`] after it was made.
#[derive(Clone)]
#[non_exhaustive]
pub enum Step {
    /// `instance.__setstate__(state)`, or the state's items become attributes.
    Build(Object),
    /// `instance.extend(items)`.
    Append(Vec<Object>),
    /// `instance[key] = value` for each pair.
    SetItems(Vec<(Object, Object)>),
    /// `instance.add(item)` for each item.
    Add(Vec<Object>),
    /// `setter(instance, state)`.
    SetState {
        /// The function.
        setter: Object,
        /// Its second argument.
        state: Object,
    },
}

impl Drop for Node {
    fn drop(&mut self) {
        // Nothing is left where `bury_in` has been.
        if !matches!(self.function, Object::None) {
            let mut heap = Vec::new();
            self.empty_into(&mut heap);
            burial::bury(heap);
        }
    }
}

impl Node {
    fn empty_into(&mut self, heap: &mut Vec<Object>) {
        heap.push(std::mem::replace(&mut self.function, Object::None));
        heap.push(Object::Tuple(std::mem::take(&mut self.args)));
        heap.extend(self.kwargs.take().map(Object::Dict));
        unpack(std::mem::take(super::get_mut(&mut self.steps)), heap);
    }
}

fn unpack(steps: Vec<Step>, heap: &mut Vec<Object>) {
    for step in steps {
        match step {
            Step::Build(state) => heap.push(state),
            Step::Append(items) | Step::Add(items) => heap.extend(items),
            Step::SetItems(pairs) => heap.extend(pairs.into_iter().flat_map(<[Object; 2]>::from)),
            Step::SetState { setter, state } => heap.extend([setter, state]),
        }
    }
}

impl Instance {
    /// What `function(*args)` gives.
    pub fn reduce<F: Into<Object>>(function: F, args: Tuple) -> Self {
        Self::new(Construction::Reduce, function.into(), args, None)
    }

    /// What `class.__new__(class, *args)` gives, which does not run `__init__`.
    pub fn new_object<C: Into<Object>>(class: C, args: Tuple) -> Self {
        Self::new(Construction::NewObject, class.into(), args, None)
    }

    /// What `class.__new__(class, *args, **kwargs)` gives.
    pub fn new_object_ex<C: Into<Object>>(class: C, args: Tuple, kwargs: Dict) -> Self {
        Self::new(Construction::NewObjectEx, class.into(), args, Some(kwargs))
    }

    fn new(
        construction: Construction,
        function: Object,
        args: Tuple,
        kwargs: Option<Dict>,
    ) -> Self {
        let steps = Mutex::default();
        Self(Arc::new(Node {
            construction,
            function,
            args,
            kwargs,
            steps,
        }))
    }

    /// The instance with a state, which becomes its attributes unless its class has `__setstate__`.
    #[must_use]
    pub fn with_state<S: Into<Object>>(self, state: S) -> Self {
        self.push(Step::Build(state.into()));
        self
    }

    /// How it is made.
    pub fn construction(&self) -> Construction {
        self.0.construction
    }

    /// The function that is called, or the class: a [`Global`] most of the time.
    pub fn function(&self) -> &Object {
        &self.0.function
    }

    /// The arguments.
    pub fn args(&self) -> &[Object] {
        &self.0.args
    }

    pub(crate) fn args_tuple(&self) -> &Tuple {
        &self.0.args
    }

    /// The keyword arguments, of [`Construction::NewObjectEx`] alone.
    pub fn kwargs(&self) -> Option<&Dict> {
        self.0.kwargs.as_ref()
    }

    /// The class or function, if it is given by name.
    pub fn class(&self) -> Option<&Global> {
        match &self.0.function {
            Object::Global(global) => Some(global),
            _ => None,
        }
    }

    /// Whether it is made by this class or function.
    pub fn is_a(&self, module: &str, name: &str) -> bool {
        self.class().is_some_and(|class| class.is(module, name))
    }

    /// What is done to it after it was made, in that order.
    pub fn steps(&self) -> Vec<Step> {
        super::lock(&self.0.steps).clone()
    }

    /// The state it was given, if it was given one.
    pub fn state(&self) -> Option<Object> {
        let steps = super::lock(&self.0.steps);
        steps.iter().rev().find_map(|step| match step {
            Step::Build(state) | Step::SetState { state, .. } => Some(state.clone()),
            _ => None,
        })
    }

    /// Adds a step, or lengthens the last one if it is of the same kind.
    pub fn push(&self, step: Step) {
        let mut steps = super::lock(&self.0.steps);
        match (steps.last_mut(), step) {
            (Some(Step::Append(old)), Step::Append(new)) => old.extend(new),
            (Some(Step::Add(old)), Step::Add(new)) => old.extend(new),
            (Some(Step::SetItems(old)), Step::SetItems(new)) => old.extend(new),
            (_, step) => steps.push(step),
        }
    }

    /// Forgets what is done after it was made, which breaks any cycle.
    pub(crate) fn clear(&self) {
        let steps = std::mem::take(&mut *super::lock(&self.0.steps));
        let mut heap = Vec::new();
        unpack(steps, &mut heap);
        burial::bury(heap);
    }

    /// How many handles refer to it.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Moves what only this handle holds to the heap.
    pub(crate) fn bury_in(self, heap: &mut Vec<Object>) {
        if let Some(mut node) = Arc::into_inner(self.0) {
            node.empty_into(heap);
        }
    }
}

impl PartialEq for Instance {
    fn eq(&self, other: &Self) -> bool {
        Object::Instance(self.clone()) == Object::Instance(other.clone())
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Object::Instance(self.clone()), f)
    }
}
