//! The figures as a page.

use super::measure::Runs;
use super::{Figures, IMAGES, machine};

/// `docs/benchmarks.md`
pub fn page(figures: &Figures, date: &str, runs: u32) -> String {
    let mut page = String::new();
    let large = figures.cases.iter().find(|case| case.name == "large");
    let (peers, update) = (&figures.peers, &figures.update);
    let [.., most] = peers.both.wall();
    let ratio = large.map_or(0.0, |large| middle(&peers.both) / middle(&large.cold));
    let (ours_slowest, theirs_fastest) =
        (large.map_or(0.0, |large| large.cold.wall()[2]), peers.both.wall()[0]);
    let [load_before, load_after] = &figures.load;

    let mut line = |text: String| {
        page.push_str(&text);
        page.push('\n');
    };
    line("# Benchmarks\n".to_owned());
    line("<!-- written by `cargo xtask bench` -->\n".to_owned());
    line(format!(
        "Measured on {date} on {} (load average {load_before} before, \
         {load_after} after; the benchmark itself counts in the second): {}.\n",
        machine::describe(),
        machine::versions()
    ));
    line(
        "Real packages, from the corpus `large`: Debian 12's, as RPMs with zstd payloads. Caches, \
         roots and images are on a file system in memory, and every package has been read once \
         before, so that the disk plays no part. Each thing is done in turn with the others, \
         `runs` times; times are smallest / middle / largest on the clock, in seconds. CPU is the \
         middle of the seconds that all cores worked, memory the most that one process ever had."
            .replace("`runs` times", &format!("{runs} times"))
            + "\n",
    );
    line("The images:\n".to_owned());
    for (name, requests) in IMAGES {
        line(format!("- `{name}`: {}", requests.join(", ")));
    }

    line("\n## A cold build, and dnf with umoci\n".to_owned());
    line(
        "`large` from nothing: no cache, no lock, no image. The other side is `dnf \
         --installroot` with the same packages (checked), without weak dependencies, \
         documentation and scriptlets, `ldconfig -r`, then `umoci init`, `new` and `insert` with \
         their defaults (gzip). strata runs as one ordinary process and needs no root; dnf does.\n"
            .to_owned(),
    );
    line("| | time | CPU | memory | stored |".to_owned());
    line("|---|---|---|---|---|".to_owned());
    if let Some(large) = large {
        line(row("**`strata build`**", &large.cold) + &stored(large.stored));
    }
    line(row("`dnf --installroot`, `ldconfig`", &peers.dnf) + " |");
    line(row("`umoci init`, `new`, `insert`", &peers.umoci) + &stored(peers.stored));
    line(row("**dnf and umoci together**", &peers.both) + &stored(peers.stored));
    line(format!(
        "\nstrata is **{ratio:.1} times** as fast (middle by middle); its slowest run took \
         {ours_slowest:.2} s, the others' fastest {theirs_fastest:.2} s, their slowest \
         {most:.2} s.\n"
    ));

    line("## Cold, and once more\n".to_owned());
    line(
        "A cold build of each spec, then the same build again, which finds everything current \
         and writes nothing.\n"
            .to_owned(),
    );
    line("| spec | packages | cold | CPU | memory | stored | again |".to_owned());
    line("|---|---|---|---|---|---|---|".to_owned());
    for case in &figures.cases {
        line(format!(
            "| {} | {} | {} | {:.2} | {} | {} | {} |",
            case.name,
            case.packages,
            times(&case.cold),
            case.cold.cpu(),
            memory(&case.cold),
            mib(case.stored),
            times(&case.again),
        ));
    }

    line("\n## After an update\n".to_owned());
    line(format!(
        "All three images are built and current; then {} of their packages have newer versions in \
         the repository. `build --update` makes {} of the images anew and writes {} blobs with {} \
         of {} stored ({:.1} %). A layer that umoci made of the whole root is written again whole.\n",
        update.packages,
        update.images,
        update.new_blobs,
        mib(update.new_bytes),
        mib(update.stored),
        100.0 * update.new_bytes as f64 / update.stored.max(1) as f64,
    ));
    line("| | time | CPU | memory |".to_owned());
    line("|---|---|---|---|".to_owned());
    for (what, runs) in [
        ("`strata check`, all current", &update.check_current),
        ("`strata check`, out of date", &update.check_outdated),
        ("`strata build --update`", &update.build),
    ] {
        line(row(what, runs));
    }

    line("\n## To measure again\n".to_owned());
    line(format!(
        "    cargo xtask bench --date YYYY-MM-DD --runs {runs}\n\nas root on Debian 12, on a machine \
         that does nothing else. It makes the corpus, builds strata with `--release`, runs \
         everything above and writes this page."
    ));
    page
}

fn row(what: &str, runs: &Runs) -> String {
    let (times, cpu, memory) = (times(runs), runs.cpu(), memory(runs));
    format!("| {what} | {times} | {cpu:.2} | {memory} |")
}

/// One more cell of a row.
fn stored(bytes: u64) -> String {
    format!(" {} |", mib(bytes))
}

fn times(runs: &Runs) -> String {
    let digits = if middle(runs) < 0.1 { 3 } else { 2 };
    let texts = runs.wall().map(|seconds| format!("{seconds:.digits$}"));
    texts.join(" / ")
}

fn middle(runs: &Runs) -> f64 {
    runs.wall()[1]
}

fn memory(runs: &Runs) -> String {
    mib(runs.peak() << 10)
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
