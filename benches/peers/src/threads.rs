//! What single threads of this process do, by their names.

use crate::measure::written_bytes;
use std::path::PathBuf;
use std::sync::Once;
use std::time::{Duration, Instant};

/// The kernel keeps so many bytes of a name.
const NAME: usize = 15;

/// The folders in `/proc` of the threads with this name.
fn folders(name: &str) -> Vec<PathBuf> {
    let name = &name[..name.len().min(NAME)];
    let all = std::fs::read_dir("/proc/self/task").expect("there is a folder for each thread");
    let all = all.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let is_named = |folder: &PathBuf| {
        std::fs::read_to_string(folder.join("comm")).is_ok_and(|found| found.trim_end() == name)
    };
    all.filter(is_named).collect()
}

/// Bytes that these threads have handed to calls that write.
pub fn written_by(name: &str) -> u64 {
    folders(name).iter().map(|folder| written_bytes(folder)).sum()
}

/// How long a thread that was just started may take to give itself its name.
const NAMED: Duration = Duration::from_secs(10);

/// Holds the threads with these names for good, wherever they are now.
pub fn hold(names: &[&str]) {
    extern "C" fn wait(_: libc::c_int) {
        loop {
            // SAFETY: it takes no arguments, and may be called in the handler of a signal.
            unsafe { libc::pause() };
        }
    }
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        // SAFETY: the handler makes one system call over and over.
        unsafe {
            libc::signal(libc::SIGUSR1, wait as extern "C" fn(libc::c_int) as libc::sighandler_t)
        };
    });
    let begun = Instant::now();
    // All are found before any is held: a panic ends the owner of the others, which waits for them.
    while let Some(name) = names.iter().find(|name| folders(name).is_empty()) {
        assert!(begun.elapsed() < NAMED, "there is no thread {name}");
        std::thread::sleep(Duration::from_millis(1));
    }
    for folder in names.iter().flat_map(|name| folders(name)) {
        let id = folder.file_name().and_then(|id| id.to_str());
        let id = id.and_then(|id| id.parse::<i32>().ok()).expect("its name is a number");
        // SAFETY: the call takes plain numbers; a thread that has ended is an error, not a danger.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, libc::SIGUSR1) };
    }
}

/// When threads with one name have been busy.
pub struct Watch {
    folders: Vec<PathBuf>,
    seen: (Instant, u64),
    /// From and to, in order.
    busy: Vec<(Instant, Instant)>,
}

impl Watch {
    /// Pauses that are shorter belong to the same piece of work.
    const PAUSE: Duration = Duration::from_millis(20);

    /// `None`: no thread has this name.
    pub fn new(name: &str) -> Option<Self> {
        let folders = folders(name);
        let seen = (Instant::now(), ran(&folders));
        (!folders.is_empty()).then_some(Self { folders, seen, busy: Vec::new() })
    }

    /// Looks whether they have run since the last look.
    pub fn look(&mut self) {
        let now = (Instant::now(), ran(&self.folders));
        let before = std::mem::replace(&mut self.seen, now);
        if now.1 == before.1 {
            return;
        }
        match self.busy.last_mut() {
            Some(last) if before.0.duration_since(last.1) <= Self::PAUSE => last.1 = now.0,
            _ => self.busy.push((before.0, now.0)),
        }
    }

    /// For how long they have been busy in all.
    pub fn total(&self) -> Duration {
        self.busy.iter().map(|(from, to)| to.duration_since(*from)).sum()
    }

    pub fn was_busy_at(&self, at: Instant) -> bool {
        let after = self.busy.partition_point(|(from, _)| *from <= at);
        after.checked_sub(1).is_some_and(|last| at < self.busy[last].1)
    }
}

/// How long threads have run on a processor, in nanoseconds.
fn ran(folders: &[PathBuf]) -> u64 {
    let of = |folder: &PathBuf| {
        let stat = std::fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
        stat.split_whitespace().next().and_then(|ran| ran.parse::<u64>().ok()).unwrap_or(0)
    };
    folders.iter().map(of).sum()
}
