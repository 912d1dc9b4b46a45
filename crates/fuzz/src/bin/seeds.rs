//! Writes the seeds that are made by code.

use std::path::Path;
use strata_fuzz::seeds::{DIRECTORY, generated};

fn main() -> std::io::Result<()> {
    for (target, name, bytes) in generated() {
        let directory = Path::new(DIRECTORY).join(target);
        std::fs::create_dir_all(&directory)?;
        std::fs::write(directory.join(name), bytes)?;
    }
    Ok(())
}
