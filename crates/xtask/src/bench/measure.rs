//! What a command costs: GNU time tells of it and its children.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// One run, or several commands after one another.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Seconds on the clock.
    pub wall: f64,
    /// Seconds of all cores, in user mode and in the kernel.
    pub cpu: f64,
    /// The most that one process had in memory, in KiB.
    pub peak: u64,
}

impl Cost {
    /// This and then the other.
    pub fn then(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
            peak: self.peak.max(other.peak),
        }
    }
}

/// Several runs of the same.
#[derive(Debug, Clone, Default)]
pub struct Runs(Vec<Cost>);

impl Runs {
    /// One more.
    pub fn push(&mut self, cost: Cost) {
        self.0.push(cost);
    }

    /// Smallest, middle and largest time on the clock.
    pub fn wall(&self) -> [f64; 3] {
        let sorted = self.sorted(|cost| cost.wall);
        [0, sorted.len() / 2, sorted.len().saturating_sub(1)]
            .map(|at| sorted.get(at).copied().unwrap_or_default())
    }

    /// The middle one of the cores' times.
    pub fn cpu(&self) -> f64 {
        let sorted = self.sorted(|cost| cost.cpu);
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    /// The largest of the peaks.
    pub fn peak(&self) -> u64 {
        self.0.iter().map(|cost| cost.peak).max().unwrap_or_default()
    }

    fn sorted(&self, part: impl Fn(&Cost) -> f64) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.0.iter().map(part).collect();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// Runs `command`, which has to end with `code`; what it cost and its standard output.
pub fn measure(command: &Command, code: i32, scratch: &Path) -> Result<(Cost, Vec<u8>)> {
    let figures = scratch.join("figures");
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["--quiet", "--format", "%U %S %M", "--output"]).arg(&figures).arg("--");
    timed.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    let started = Instant::now();
    let output = timed.output().context("cannot run /usr/bin/time")?;
    let wall = started.elapsed().as_secs_f64();
    if output.status.code() != Some(code) {
        let (stdout, stderr) = (output.stdout.as_slice(), output.stderr.as_slice());
        let printed = [stdout, stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        bail!("{command:?} ended with {}, not {code}\n{}", output.status, printed.join("\n"));
    }
    let text = std::fs::read_to_string(&figures)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [user, system, peak] = words.as_slice() else { bail!("GNU time wrote `{text}`") };
    let cpu = user.parse::<f64>()? + system.parse::<f64>()?;
    Ok((Cost { wall, cpu, peak: peak.parse()? }, output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_in_order() {
        let mut runs = Runs::default();
        for wall in [3.0, 1.0, 2.0] {
            runs.push(Cost { wall, cpu: 2.0 * wall, peak: 10 }.then(Cost::default()));
        }
        assert!(runs.wall().iter().zip([1.0, 2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-9));
        assert!((runs.cpu() - 4.0).abs() < 1e-9);
        assert_eq!(runs.peak(), 10);
    }
}
