#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]
use std::{collections::BTreeMap, fs, time::Instant};
use strata_rpm::*;
fn main() {
    let mut ok = 0;
    let mut bad = BTreeMap::<String, Vec<String>>::new();
    let (mut comp, mut raw) = (0u64, 0u64);
    let t = Instant::now();
    for p in std::env::args().skip(1) {
        let b = fs::read(&p).unwrap();
        let r = (|| -> Result<(), String> {
            let f = RpmFile::parse(&b).map_err(|e| format!("parse: {e}"))?;
            let v = f.verify().map_err(|e| format!("verify: {e}"))?;
            if v.header.is_none() || v.payload.is_none() {
                println!("{p}: {v:?} lead {:?}", f.lead);
            }
            let k = f.package().map_err(|e| format!("package: {e}"))?;
            payload::read(&f, &k, &mut |_, n, r| {
                raw += n;
                let _ = &r;
                Ok(())
            })
            .map_err(|e| format!("payload: {e}"))?;
            Ok(())
        })();
        comp += b.len() as u64;
        match r {
            Ok(()) => ok += 1,
            Err(e) => {
                bad.entry(e.chars().take(12).collect()).or_default().push(format!("{p}: {e}"))
            }
        }
    }
    let s = t.elapsed().as_secs_f64();
    println!(
        "ok {ok}; {:.1} MB rpm, {:.1} MB content, {s:.2} s, {:.0} MB/s content",
        comp as f64 / 1e6,
        raw as f64 / 1e6,
        raw as f64 / 1e6 / s
    );
    for (_, v) in bad {
        for l in v {
            println!("{l}");
        }
    }
}
