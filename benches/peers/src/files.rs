//! The files of a member: how large they are, and how much of them is in the memory of the system.

use crate::measure::Values;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const PAGE: f64 = 4096.0;
/// `cachestat`, which is new in Linux 6.5.
const CACHESTAT: libc::c_long = 451;

/// All files below a folder.
fn below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    paths.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// Space on the disk in MiB: of all files, and of the product's log and state.
pub fn sizes(dir: &Path) -> Values {
    let mut values = Values::new();
    for path in below(dir) {
        let mib = std::fs::metadata(&path).map_or(0.0, |found| found.blocks() as f64 / 2048.0);
        let mut add = |name: &str| *values.entry(format!("{name}_mib")).or_insert(0.0) += mib;
        add("files");
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_owned()).collect();
        ["log", "state"]
            .iter()
            .filter(|part| parts.contains(&(**part).into()))
            .for_each(|p| add(p));
    }
    values
}

/// Has the system drop what it keeps of these files in memory. They must be synced before.
pub fn forget(dir: &Path) {
    for path in below(dir) {
        let file = File::open(path).expect("the file can be opened");
        // SAFETY: the descriptor is open.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    }
}

/// The share of these files that the system has in memory. Without `cachestat` it is not a number.
pub fn cached_share(dir: &Path) -> f64 {
    let (mut pages, mut cached) = (0.0, 0.0);
    for path in below(dir) {
        let file = File::open(path).expect("the file can be opened");
        pages += (file.metadata().map_or(0, |found| found.len()) as f64 / PAGE).ceil();
        let (range, mut found) = ([0_u64; 2], [0_u64; 5]);
        // SAFETY: both arrays are as long as the kernel's structures and outlive the call.
        let result = unsafe {
            libc::syscall(CACHESTAT, file.as_raw_fd(), range.as_ptr(), found.as_mut_ptr(), 0)
        };
        if result != 0 {
            return f64::NAN;
        }
        cached += found[0] as f64;
    }
    cached / f64::max(pages, 1.0)
}
