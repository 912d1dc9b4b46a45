//! What happens during a run, on standard error: lines for what a person wants to keep, and on a
//! terminal a bar for what takes time.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use strata_compose::{Event, Reporter};

/// Prints events.
pub(crate) struct Progress {
    quiet: bool,
    bar: ProgressBar,
}

impl Progress {
    /// Prints nothing when `quiet`.
    pub fn new(quiet: bool) -> Self {
        let drawn = !quiet && io::stderr().is_terminal();
        let target =
            if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{prefix:>10} [{bar:30}] {pos}/{len} {wide_msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { quiet, bar }
    }

    fn line(&self, text: &str) {
        // there is nobody to tell if this fails
        let write = || drop(writeln!(io::stderr().lock(), "{text}"));
        // before anything began there is no bar; it would be drawn as one that is full
        match self.bar.length() {
            None | Some(0) => write(),
            Some(_) => self.bar.suspend(write),
        }
    }

    fn begin(&self, what: &'static str, length: usize) {
        self.bar.set_length(length as u64);
        self.bar.set_position(0);
        self.bar.set_prefix(what);
    }

    fn step(&self, what: String) {
        self.bar.inc(1);
        self.bar.set_message(what);
    }
}

impl Reporter for Progress {
    fn event(&self, event: &Event) {
        match event {
            _ if self.quiet => {}
            Event::Warning(_) => self.line(&event.to_string()),
            Event::FetchStarted { packages, .. } => self.begin("packages", *packages),
            Event::PackageFetched { nevra, .. } => self.step(nevra.clone()),
            Event::LayersStarted { layers, known } => {
                self.begin("layers", *layers);
                self.bar.set_position(*known as u64);
            }
            Event::LayerWritten { title, .. } => self.step(title.clone()),
            Event::RepositoryRead { .. } | Event::Resolved { .. } => self.line(&event.to_string()),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
