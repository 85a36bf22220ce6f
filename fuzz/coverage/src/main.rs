//! Replays every file below the folders that are given, each by the target that its own folder is
//! named after: what it runs through is measured by `fuzz/run --coverage`.

use std::path::Path;
use strongroom_fuzz_bodies::{TARGETS, run};

fn main() -> std::io::Result<()> {
    for folder in std::env::args().skip(1) {
        for target in TARGETS {
            let folder = Path::new(&folder).join(target.name);
            if !folder.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(folder)? {
                run(target.name, &std::fs::read(file?.path())?);
            }
        }
    }
    Ok(())
}
