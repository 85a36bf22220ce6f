//! Settings and properties of this process, through safe calls.

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use std::io;

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

/// Bytes of memory available to the process: the machine's memory, or the limit of its control group if
/// that is lower. On macOS, where no safe call returns it, 4 GiB, which every such machine has.
#[must_use]
pub fn memory_bytes() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let info = rustix::system::sysinfo();
        #[allow(clippy::useless_conversion)] // 32 bits wide on some systems.
        let machine = u64::from(info.totalram).saturating_mul(u64::from(info.mem_unit));
        // Only the innermost limit, as a container sees it. `max` does not parse: there is no limit.
        let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
            .ok()
            .and_then(|text| text.trim().parse().ok());
        machine.min(group.unwrap_or(u64::MAX))
    }
    #[cfg(not(target_os = "linux"))]
    {
        4 << 30
    }
}

/// The effective user of the process. Its files must belong to this user.
#[must_use]
pub fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The process id, for the note in the lock file.
#[must_use]
pub fn process_id() -> u32 {
    std::process::id()
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
