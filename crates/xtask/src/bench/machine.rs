//! The machine in words, without its name.

use crate::run::output;
use std::fs::read_to_string;
use std::process::Command;

/// Processor, memory, kernel.
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or_default();
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{cores} cores ({processor}), {} GiB of memory, Linux {}",
        (memory + (1 << 19)) >> 20,
        kernel.trim().split('-').next().unwrap_or_default(),
    )
}

/// How many processes wanted to run in the last minute, on average.
pub fn load() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// First lines of what programs say of their versions.
pub fn versions() -> String {
    let version = |program: &str| {
        let text = output(Command::new(program).arg("--version")).unwrap_or_default();
        let line = text.lines().next().unwrap_or("unknown");
        let line = line.strip_prefix(program).unwrap_or(line).trim();
        let number = line.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        format!("{program} {number}")
    };
    ["dnf", "rpm", "umoci"].map(version).join(", ")
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
