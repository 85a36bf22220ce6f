//! What a group was measured on: machine, file system, versions, date.

use crate::figures::Figure;
use crate::measure::cpu_of;
use crate::plan::Scale;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The figure that stands before those of a group.
pub fn describe(group: &str, scale: Scale, dir: &Path) -> Figure {
    let mut texts = vec![
        ("date".to_owned(), date()),
        ("commit".to_owned(), commit()),
        ("rounds".to_owned(), scale.rounds.to_string()),
        ("CPU".to_owned(), cpu()),
        ("memory".to_owned(), memory()),
        ("kernel".to_owned(), said("uname", &["-sr"])),
        ("file system".to_owned(), file_system(dir)),
        ("rustc".to_owned(), said("rustc", &["--version"]).replace("rustc ", "")),
    ];
    texts.extend(versions().into_iter().map(|(name, text)| (name.to_owned(), text)));
    let (group, case) = ("machine".to_owned(), group.to_owned());
    Figure { group, case, quick: scale.quick, texts, ..Figure::default() }
}

/// The same with the time that it is now.
pub fn at_present(mut machine: Figure) -> Figure {
    machine
        .texts
        .iter_mut()
        .filter(|(name, _)| name == "date")
        .for_each(|(_, text)| *text = date());
    machine
}

fn date() -> String {
    said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])
}

/// A figure as the run prints it.
pub fn line(figure: &Figure) -> String {
    let mut line =
        format!("{}, {}, {}, round {}:", figure.group, figure.case, figure.member, figure.round);
    if let Some(note) = &figure.note {
        line.push_str(&format!(" {note}"));
    }
    let names = [
        "rate",
        "cpu_us",
        "p50_us",
        "p99_us",
        "get_p99_us",
        "bare_p99_us",
        "flush_get_p99_us",
        "flush_bare_p99_us",
        "open_ms",
        "ms",
        "frame_bytes",
        "written_bytes",
    ];
    for name in names {
        if let Some(value) = figure.values.get(name) {
            line.push_str(&format!(" {name} {value:.1}"));
        }
    }
    line
}

/// The first line that a program prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.ok()
        .and_then(|text| text.lines().next().map(str::to_owned))
        .unwrap_or_else(|| "unknown".into())
}

fn commit() -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let commit = said("git", &["-C", root, "rev-parse", "--short=10", "HEAD"]);
    // What a run writes itself is left out.
    let written = [
        ":(top,exclude)benches/peers/figures.jsonl",
        ":(top,exclude)docs/PERFORMANCE.md",
        ":(top,exclude)docs/performance",
    ];
    let arguments = ["-C", root, "diff", "HEAD", "--binary", "--", ":/"];
    let changes = Command::new("git").args(arguments).args(written).output();
    match changes.map(|output| output.stdout) {
        Ok(changes) if changes.is_empty() => commit,
        Ok(changes) => {
            format!("{commit} and changes {}", &hex::encode(Sha256::digest(&changes))[..8])
        }
        Err(_) => format!("{commit} and perhaps changes"),
    }
}

/// Whether product or benchmark are another state now than in that commit, or nobody knows.
pub fn has_changed_since(commit: &str) -> bool {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let range = ["-C", root, "diff", "--quiet", commit, "HEAD", "--"];
    let paths = [":/src", ":/Cargo.lock", ":/benches/peers/src"];
    let same = Command::new("git").args(range).args(paths).stderr(Stdio::null()).status();
    !same.is_ok_and(|status| status.success())
}

/// How busy the processors have been at a moment.
pub struct Load {
    at: Instant,
    all: Duration,
    own: Duration,
}

impl Load {
    pub fn now() -> Self {
        // User, nice, system, idle, waiting, interrupts, soft interrupts, and what the host kept for others.
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
        let ticks: Vec<u64> = line.take(8).map(|ticks| ticks.parse().unwrap_or(0)).collect();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        // SAFETY: it takes a plain number.
        let second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1) as f64;
        let all = (ticks.iter().sum::<u64>() - idle) as f64 / second;
        let own = cpu_of(libc::RUSAGE_SELF) + cpu_of(libc::RUSAGE_CHILDREN);
        Self { at: Instant::now(), all: Duration::from_secs_f64(all), own }
    }

    /// The share of all processors that others have used since then: other processes, the kernel's own threads,
    /// and the host.
    pub fn share_of_others(&self) -> f64 {
        let now = Self::now();
        let others = (now.all - self.all).saturating_sub(now.own - self.own);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        others.as_secs_f64() / ((now.at - self.at).as_secs_f64() * cores as f64)
    }
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown").to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (family, model) = (of("cpu family"), of("model\t"));
    format!("{}, family {family}, model {model}; {cores} cores", of("model name"))
}

fn memory() -> String {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = info.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
    format!("{} GiB", kib.unwrap_or(0) >> 20)
}

/// Kind and options of the mount that holds this folder.
fn file_system(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_default();
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let holds = fields.filter(|fields| fields.len() > 3 && dir.starts_with(fields[1]));
    let closest = holds.max_by_key(|fields| fields[1].len());
    closest.map_or_else(|| "unknown".to_owned(), |fields| format!("{} ({})", fields[2], fields[3]))
}

/// The versions of all members.
fn versions() -> Vec<(&'static str, String)> {
    let lmdb = heed::lmdb_version();
    let mut versions = vec![
        ("fjall", locked("fjall")),
        ("redb", locked("redb")),
        (
            "SQLite",
            format!(
                "{} (rusqlite {}, {})",
                rusqlite::version(),
                locked("rusqlite"),
                option_env!("LIBSQLITE3_FLAGS").unwrap_or("syncs by fsync")
            ),
        ),
        ("LMDB", format!("{}.{}.{} (heed {})", lmdb.major, lmdb.minor, lmdb.patch, locked("heed"))),
        ("sled", locked("sled")),
        ("hyper", locked("hyper")),
        ("moto", moto()),
    ];
    if cfg!(feature = "rocksdb") {
        let version = format!("{} (crate {})", rocksdb(), locked("rocksdb"));
        versions.insert(0, ("RocksDB", version));
    }
    versions
}

/// moto's server has no option for it; its package knows.
fn moto() -> String {
    said("python3", &["-c", "from importlib.metadata import version; print(version('moto'))"])
}

/// The version of a crate that this program was built with.
fn locked(name: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let start = format!("name = \"{name}\"\nversion = \"");
    let found = lock.split(&start).nth(1).and_then(|rest| rest.split('"').next());
    found.unwrap_or("unknown").to_owned()
}

/// RocksDB's own version, from the header that came with the system's library.
fn rocksdb() -> String {
    let header = std::fs::read_to_string("/usr/include/rocksdb/version.h").unwrap_or_default();
    let part = |name: &str| {
        let start = format!("#define ROCKSDB_{name} ");
        let found = header.split(&start).nth(1).and_then(|rest| rest.split_whitespace().next());
        found.unwrap_or("?").to_owned()
    };
    format!("{}.{}.{}", part("MAJOR"), part("MINOR"), part("PATCH"))
}
