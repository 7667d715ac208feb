//! Runs programs on both sides and compares the traces.

use std::ops::Range;

use crate::generate;
use crate::program::Program;
use crate::shrink::shrink;
use crate::sides::{self, Side, Trace};

pub(crate) struct Sides {
    ours: Side<Program>,
    theirs: Side<String>,
    /// The version of CPython: 3.`minor`.
    pub(crate) minor: u32,
}

impl Sides {
    /// Starts both; `None` if this machine has no CPython to compare with.
    pub(crate) fn start() -> Option<Self> {
        let (theirs, minor) = sides::cpython()?;
        let ours = sides::ours();
        Some(Self {
            ours,
            theirs,
            minor,
        })
    }

    fn ask(&self, program: &Program) {
        self.theirs.ask(program.to_string());
        self.ours.ask(program.clone());
    }

    /// The traces of the next program that was asked for.
    fn answers(&self, program: &Program) -> (Trace, Trace) {
        let (ours, theirs) = (self.ours.answer(), self.theirs.answer());
        let (mut ours, mut theirs) = match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => (ours, theirs),
            stuck => panic!("no end of {program}: {stuck:?}"),
        };
        let has = |words: &str| ours.iter().chain(&theirs).any(|line| line.contains(words));
        let (abandoned, destroyed) = (has("abandoned"), has("was destroyed"));
        // Before 3.14 it is the collector who tells of exceptions that shields have hidden.
        let hidden = self.minor < 14 && program.to_string().contains("shield");
        for trace in [&mut ours, &mut theirs] {
            if abandoned || destroyed || hidden {
                trace.retain(|line| line.starts_with(|c: char| c.is_ascii_digit()));
            }
            if destroyed {
                // What the end of the loop destroys runs its destructors here, nothing there.
                trace.retain(|line| !line.contains(" state "));
            }
        }
        (ours, theirs)
    }

    fn differ(&self, program: &Program) -> bool {
        let (ours, theirs) = self.answers(program);
        ours != theirs
    }

    /// The seeds whose programs differ.
    pub(crate) fn differing(&self, seeds: Range<u64>) -> Vec<u64> {
        let programs: Vec<_> = seeds
            .map(|seed| (seed, generate::program(seed, self.minor)))
            .collect();
        for (_, program) in &programs {
            self.ask(program);
        }
        let differing = programs.iter().filter(|(_, program)| self.differ(program));
        differing.map(|(seed, _)| *seed).collect()
    }

    /// Prints the smallest part of a program that differs, and how.
    pub(crate) fn show(&self, seed: u64) {
        let program = shrink(generate::program(seed, self.minor), |program| {
            self.ask(program);
            self.differ(program)
        });
        self.ask(&program);
        let (ours, theirs) = self.answers(&program);
        self.theirs.ask(format!("?{program}"));
        println!("\nseed {seed}: {program}\n");
        let code = self.theirs.answer().unwrap_or_default();
        println!("{}\n", code.join("\n"));
        println!("  {:40} | CPython 3.{}", "hilos", self.minor);
        for line in 0..ours.len().max(theirs.len()) {
            let [ours, theirs] = [&ours, &theirs].map(|trace| trace.get(line).map_or("", |l| l));
            let mark = if ours == theirs { ' ' } else { '!' };
            println!("{mark} {ours:40} | {theirs}");
        }
    }
}
