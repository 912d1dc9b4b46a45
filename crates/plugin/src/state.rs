//! What one call of a plugin has: its limits, its view of the image, and what it logged.

use crate::{limits, text};
use std::collections::VecDeque;
use strata_rootfs::ImageView;
use wasmtime::ResourceLimiter;

/// Lines that an error shows.
const LAST: usize = 20;

/// Why a host function ends the call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostStop {
    #[error("the host's work for the call is used up")]
    Work,
    #[error("there is no image in this call")]
    NoImage,
    #[error("cannot read `{path}`: {reason}")]
    Read { path: String, reason: String },
}

/// Weight of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

/// What a call logged.
#[derive(Debug, Default)]
pub(crate) struct Log {
    written: usize,
    /// Warnings and errors.
    pub told: Vec<String>,
    /// The last lines of any level.
    pub last: VecDeque<String>,
    /// The last line of level `error`.
    pub error: Option<String>,
}

/// The data of a store.
pub(crate) struct State {
    pub limits: Limits,
    pub log: Log,
    lent: Lent<'static>,
    work: u64,
}

/// What a call borrows: one plugin is called thousands of times with the same settings.
#[derive(Clone, Copy)]
struct Lent<'a> {
    plugin: &'a str,
    settings: &'a crate::Settings,
    image: Option<ImageView<'a>>,
}

impl State {
    /// # Safety
    /// The state has to be dropped before any of the arguments is, and `lent` must not be moved out
    /// of it.
    #[allow(unsafe_code, reason = "a store's data must be 'static, what a call gets is borrowed")]
    pub unsafe fn new(
        plugin: &str,
        settings: &crate::Settings,
        image: Option<ImageView<'_>>,
    ) -> Self {
        let lent = Lent { plugin, settings, image };
        // SAFETY: the caller drops the state while all of it is still borrowed; only `State::lent`
        // hands it out again, for as long as the state itself is borrowed.
        let lent = unsafe { std::mem::transmute::<Lent<'_>, Lent<'static>>(lent) };
        Self { limits: Limits::default(), log: Log::default(), lent, work: limits::HOST_WORK }
    }

    fn lent(&self) -> Lent<'_> {
        self.lent
    }

    /// The image of this call.
    pub fn image(&self) -> Result<ImageView<'_>, HostStop> {
        self.lent().image.ok_or(HostStop::NoImage)
    }

    /// The settings of this call.
    pub fn settings(&self) -> &crate::Settings {
        self.lent().settings
    }

    /// Charges a host function for what it hands over or takes.
    pub fn charge(&mut self, bytes: usize) -> Result<(), HostStop> {
        self.charge_work(limits::HOST_CALL + bytes as u64)
    }

    /// Charges a host function for what it found to do on the way.
    pub fn charge_work(&mut self, cost: u64) -> Result<(), HostStop> {
        self.work = self.work.checked_sub(cost).ok_or(HostStop::Work)?;
        Ok(())
    }

    /// What was charged up to now.
    #[cfg(test)]
    pub fn charged(&self) -> u64 {
        limits::HOST_WORK - self.work
    }

    /// Writes a line of the log.
    pub fn write(&mut self, level: Level, message: &str) {
        if self.log.written == limits::LOG_LINES {
            return;
        }
        self.log.written += 1;
        let line = text::line(message);
        // not by `lent`, which would borrow the log with it
        let plugin = self.lent.plugin;
        match level {
            Level::Error => tracing::error!(target: "strata_plugin", %plugin, "{line}"),
            Level::Warn => tracing::warn!(target: "strata_plugin", %plugin, "{line}"),
            Level::Info => tracing::info!(target: "strata_plugin", %plugin, "{line}"),
            Level::Debug => tracing::debug!(target: "strata_plugin", %plugin, "{line}"),
        }
        if level <= Level::Warn {
            self.log.told.push(line.clone());
        }
        if level == Level::Error {
            self.log.error = Some(line.clone());
        }
        if self.log.last.len() == LAST {
            self.log.last.pop_front();
        }
        self.log.last.push_back(line);
        if self.log.written == limits::LOG_LINES {
            tracing::debug!(target: "strata_plugin", %plugin, "further lines are left out");
        }
    }
}

/// What the guest may take of the machine, over all of its instances.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    memory: usize,
    elements: usize,
    /// Whether the guest asked for more memory than there is for it.
    pub refused: bool,
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        self.refused |= total > limits::MEMORY;
        if total > limits::MEMORY {
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > limits::TABLE_ELEMENTS {
            self.refused = true;
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        limits::INSTANCES
    }

    fn tables(&self) -> usize {
        limits::INSTANCES
    }

    fn memories(&self) -> usize {
        limits::MEMORIES
    }
}
