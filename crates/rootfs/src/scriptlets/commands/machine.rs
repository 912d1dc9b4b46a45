//! What programs say of the machine and the hour: that of the image, and that of the task.

use super::{parse, unsupported};
use crate::scriptlets::{
    ScriptletError,
    shell::{Flow, Shell, Status},
};

/// The loader of each architecture, and what the kernel calls it.
const LOADERS: [(&str, &str); 9] = [
    ("/lib64/ld-linux-x86-64.so.2", "x86_64"),
    ("/lib/ld-linux-aarch64.so.1", "aarch64"),
    ("/lib64/ld64.so.2", "ppc64le"),
    ("/lib/ld64.so.1", "s390x"),
    ("/lib/ld-linux-riscv64-lp64d.so.1", "riscv64"),
    ("/lib64/ld-linux-loongarch-lp64d.so.1", "loongarch64"),
    ("/lib/ld-linux-armhf.so.3", "armv7l"),
    // a 64-bit image can have this one, too
    ("/lib/ld-linux.so.2", "i686"),
    ("/lib64/ld64.so.1", "ppc64"),
];

/// The end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// `uname`: only the kernel's name and the machine are the image's.
pub(super) fn uname(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("kernel-name", 's'),
        ("machine", 'm'),
        ("processor", 'p'),
        ("hardware-platform", 'i'),
        ("operating-system", 'o'),
    ];
    let parsed = parse("uname", words, "smpio", &names)?;
    let mut parts = Vec::new();
    for letter in "smpio".chars().filter(|letter| parsed.has(*letter)) {
        parts.push(match letter {
            's' => "Linux",
            'o' => "GNU/Linux",
            _ => machine(shell)?,
        });
    }
    let text = if parts.is_empty() { "Linux".to_owned() } else { parts.join(" ") };
    shell.out(format!("{text}\n"))?;
    Ok(0)
}

pub(super) fn arch(shell: &mut Shell<'_>, words: &[String]) -> Status {
    if !words.is_empty() {
        return unsupported("arch of this form");
    }
    let text = machine(shell)?;
    shell.out(format!("{text}\n"))?;
    Ok(0)
}

fn machine(shell: &Shell<'_>) -> Result<&'static str, Flow> {
    let there = |path: &str| shell.fs.lookup(path.as_bytes(), true).is_ok();
    let found = LOADERS.iter().find(|(path, _)| there(path)).map(|(_, machine)| *machine);
    found.ok_or_else(|| ScriptletError::unsupported("uname in a tree without a loader").into())
}

/// `date`: the task's time, in UTC.
pub(super) fn date(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("utc", 'u'), ("date", 'd')];
    let parsed = parse("date", words, "ud:", &names)?;
    let format = match parsed.operands.as_slice() {
        [] => "%a %b %e %H:%M:%S UTC %Y",
        [one] if one.starts_with('+') => &one[1..],
        _ => return unsupported("date of this form"),
    };
    let seconds = match parsed.value('d') {
        None | Some("now") => shell.fs.mtime,
        Some(text) => match text.strip_prefix('@').map(str::parse) {
            Some(Ok(seconds)) => seconds,
            _ => return unsupported(format!("date -d {text}")),
        },
    };
    let text = formatted(format, seconds)?;
    shell.out(format!("{text}\n"))?;
    Ok(0)
}

fn formatted(format: &str, seconds: u64) -> Result<String, Flow> {
    const DAYS: [&str; 7] =
        ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    if seconds > LAST {
        return Err(ScriptletError::unsupported("a date after the year 9999").into());
    }
    let days = seconds / 86400;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let (year, month, day) = civil(days);
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or(0)];
    let name = MONTHS[usize::try_from(month - 1).unwrap_or(0).min(11)];
    let in_year = days - days_before(year);
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let letter = chars.next().unwrap_or('%');
        out.push_str(&match letter {
            '%' => "%".to_owned(),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            'Y' => year.to_string(),
            'y' => format!("{:02}", year % 100),
            'C' => format!("{:02}", year / 100),
            'm' => format!("{month:02}"),
            'd' => format!("{day:02}"),
            'e' => format!("{day:2}"),
            'H' => format!("{hour:02}"),
            'M' => format!("{minute:02}"),
            'S' => format!("{second:02}"),
            'N' => "000000000".to_owned(),
            'j' => format!("{:03}", in_year + 1),
            's' => seconds.to_string(),
            'F' => format!("{year}-{month:02}-{day:02}"),
            'T' => format!("{hour:02}:{minute:02}:{second:02}"),
            'R' => format!("{hour:02}:{minute:02}"),
            'D' => format!("{month:02}/{day:02}/{:02}", year % 100),
            'Z' => "UTC".to_owned(),
            'z' => "+0000".to_owned(),
            'a' => weekday[..3].to_owned(),
            'A' => weekday.to_owned(),
            'b' | 'h' => name[..3].to_owned(),
            'B' => name.to_owned(),
            'u' => ((days + 3) % 7 + 1).to_string(),
            'w' => ((days + 4) % 7).to_string(),
            other => return Err(ScriptletError::unsupported(format!("date +%{other}")).into()),
        });
    }
    Ok(out)
}

/// Days from 1970 to the beginning of a year.
fn days_before(year: u64) -> u64 {
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
}

/// Year, month and day of a day counted from 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let mut year = 1970 + days / 366;
    while days_before(year + 1) <= days {
        year += 1;
    }
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut rest = days - days_before(year);
    for (month, length) in (1..).zip(lengths) {
        if rest < length {
            return (year, month, rest + 1);
        }
        rest -= length;
    }
    (year, 12, 31)
}

/// No process runs in an image: there is none to name.
pub(super) fn no_process(_: &mut Shell<'_>, _: &[String]) -> Status {
    Ok(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::formatted;

    #[test]
    fn dates() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 Thu 001 4"),
            (951_782_400, "2000-02-29 00:00:00 Tue 060 2"),
            (1_600_000_000, "2020-09-13 12:26:40 Sun 257 7"),
            (4_107_542_399, "2100-02-28 23:59:59 Sun 059 7"),
        ] {
            assert_eq!(formatted("%F %T %a %j %u", seconds).unwrap(), expected);
        }
    }
}
