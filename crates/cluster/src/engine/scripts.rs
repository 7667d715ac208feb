//! The scripts that the server runs, each as one step.

use redis::Script;

pub(super) struct Scripts {
    pub(super) submit: Script,
    pub(super) known: Script,
    pub(super) complete: Script,
    pub(super) renew: Script,
    pub(super) claim: Script,
    pub(super) cancel: Script,
    pub(super) give_back: Script,
    pub(super) report: Script,
    pub(super) remove: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            submit: Script::new(include_str!("scripts/submit.lua")),
            known: Script::new(include_str!("scripts/known.lua")),
            complete: Script::new(include_str!("scripts/complete.lua")),
            renew: Script::new(include_str!("scripts/renew.lua")),
            claim: Script::new(include_str!("scripts/claim.lua")),
            cancel: Script::new(include_str!("scripts/cancel.lua")),
            give_back: Script::new(include_str!("scripts/give_back.lua")),
            report: Script::new(include_str!("scripts/report.lua")),
            remove: Script::new(include_str!("scripts/remove.lua")),
        }
    }
}
