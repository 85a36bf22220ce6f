//! Settings and properties of this process, through safe calls.

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use std::io;
use std::path::{Path, PathBuf};

/// The longest name of a space of processes, in characters.
const PROCESS_SPACE_MAX: usize = 120;

/// Hardens the whole process: new files (including sled's) get no group and world bits, no core file is
/// written, and on Linux no other process of the same user may attach or read its memory. Call it first
/// in `main`, before a thread is started or a file is created.
pub fn harden_process() -> io::Result<()> {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// The effective user of the process. Its files must belong to this user.
#[must_use]
pub fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether this process may make files in the folder at `path`. A read-only file system says no even to root.
#[must_use]
pub fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// The name of a user, as messages say it; its number if it has no name.
#[must_use]
pub fn user_name(uid: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("user {uid}"))
}

/// Where a path is denied to this process, and who owns what stands there: `(place, owner, mode)`.
/// `None`: nothing of the path can be seen.
#[must_use]
pub fn owner_of_denied(path: &Path) -> Option<(PathBuf, u32, u32)> {
    // A file that others may not see is reported by the folder that hides it, a file that does not exist
    // by the folder that would hold it.
    path.ancestors().filter(|part| !part.as_os_str().is_empty()).find_map(|part| {
        let stat = rustix::fs::stat(part).ok()?;
        #[allow(clippy::useless_conversion)] // 16 bits wide on some systems.
        let mode = u32::from(stat.st_mode) & 0o7777;
        Some((part.to_path_buf(), stat.st_uid, mode))
    })
}

/// The process id, for the note in the lock file.
#[must_use]
pub fn process_id() -> u32 {
    std::process::id()
}

/// Where process ids mean what they mean here: this start of this machine, and the namespace of processes.
/// One line. Where the system tells neither, the name of the machine.
#[must_use]
pub fn process_space() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let machine = if boot.trim().is_empty() { name.as_str() } else { boot.trim() };
    let space = format!("{machine} {}", namespace.display());
    space.chars().filter(|c| !c.is_control()).take(PROCESS_SPACE_MAX).collect()
}

/// Whether the process was started to ignore SIGHUP, as `nohup` does. `false` where that cannot be known.
#[must_use]
pub fn ignores_hangup() -> bool {
    // One bit for each signal, the lowest for signal 1, which is SIGHUP.
    let ignored = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?.trim().to_owned();
        u64::from_str_radix(&mask, 16).ok()
    });
    ignored.is_some_and(|mask| mask & 1 == 1)
}

/// Whether a call failed because the process or the machine has reached its limit of open files.
#[must_use]
pub fn is_out_of_files(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lack_of_files_is_one() {
        for (errno, is_lack) in
            [(Errno::MFILE, true), (Errno::NFILE, true), (Errno::CONNABORTED, false)]
        {
            assert_eq!(is_out_of_files(&errno.into()), is_lack);
        }
    }
}
