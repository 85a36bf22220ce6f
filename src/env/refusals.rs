//! What the operating system means when it refuses a call, in words, and what a person does about it.

use rustix::io::Errno;
use std::io;

/// A reason of the system: its words, and the next step.
pub(crate) struct Refusal {
    /// Why, in a few words that follow a colon.
    pub(crate) words: &'static str,
    /// What to do about it.
    pub(crate) step: &'static str,
}

/// What is done about a reason that has no row of its own.
const OTHER_STEP: &str = "look at `df` and `dmesg` for the state of the disk, then run it again";

#[rustfmt::skip]
const REFUSALS: &[(Errno, &str, &str)] = &[
    (Errno::ACCESS, "permission denied", "`ls -ld` shows owner and mode; run this as the owner"),
    (Errno::PERM, "the system does not permit it",
     "run this as the owner; `lsattr` and the options of the mount show what else forbids it"),
    (Errno::ROFS, "the file system is read-only",
     "mount it writable, or copy the vault to a disk that is; what only reads works here"),
    (Errno::NOSPC, "no space is left on the disk", "free some space, then run it again"),
    (Errno::DQUOT, "the disk quota is used up", "free some space or raise the quota, then run it again"),
    (Errno::FBIG, "the file would be larger than the system allows",
     "raise the limit with `ulimit -f unlimited`, then run it again"),
    (Errno::IO, "the disk failed",
     "look at `dmesg`, check the disk and its cable, then restore a backup to a disk that works"),
    (Errno::MFILE, "this process has too many open files",
     "raise the limit with `ulimit -n 4096`, or `LimitNOFILE=4096` for a systemd unit"),
    (Errno::NFILE, "the machine has too many open files",
     "end other programs, or raise the limit with `sysctl fs.file-max`"),
    (Errno::NOLCK, "the file system gives no lock",
     "keep the vault on a local disk, or mount the network file system with locks"),
    (Errno::DEADLK, "the file system gives no lock",
     "keep the vault on a local disk, or mount the network file system with locks"),
    (Errno::NAMETOOLONG, "the path is too long", "choose a shorter path"),
    (Errno::NOTDIR, "a part of the path is not a folder",
     "check the path; `namei -l` shows each of its parts"),
    (Errno::LOOP, "a part of the path is a symbolic link that is not followed",
     "name the folder or file itself; `namei -l` shows each part of the path"),
    (Errno::MLINK, "there are too many links", "name the folder or file itself"),
    (Errno::NOENT, "there is no such file or folder", "check the path"),
    (Errno::ISDIR, "it is a folder", "name a file, or move the folder away"),
    (Errno::EXIST, "something of that name is there already", "move it away or choose another name"),
    (Errno::NOTEMPTY, "the folder is not empty", "look at what it holds, and move that away"),
    (Errno::BUSY, "the system is using it", "`fuser -vm` shows who; end that, then run it again"),
    (Errno::TXTBSY, "a program that runs is using it", "`fuser -v` shows who; end that first"),
    (Errno::NOMEM, "there is not enough memory", "end other programs or raise the memory limit"),
    (Errno::AGAIN, "a limit of the system is reached for now",
     "raise `ulimit -u` or the limit of tasks, or wait and run it again"),
    (Errno::NXIO, "no device or reader is at the other end", "name a regular file"),
    (Errno::NODEV, "there is no such device", "check the path and the mount"),
    (Errno::STALE, "the network file system no longer knows it", "mount it again, then run it again"),
    (Errno::INVAL, "the file system does not support it",
     "keep the vault on a native Linux file system such as ext4, xfs or btrfs"),
    (Errno::NOSYS, "the system does not support it",
     "keep the vault on a native Linux file system such as ext4, xfs or btrfs"),
    (Errno::OPNOTSUPP, "the file system does not support it",
     "keep the vault on a native Linux file system such as ext4, xfs or btrfs"),
    (Errno::XDEV, "the two places are on different file systems",
     "keep the whole folder on one file system, without mounts inside it"),
    (Errno::TIMEDOUT, "the system did not answer in time", "check the mount, then run it again"),
    (Errno::BADF, "it is closed", "open it, or name a file instead"),
    (Errno::PIPE, "the reader is gone", "run it again with a reader that stays"),
    (Errno::ADDRINUSE, "another program uses the port",
     "`ss -ltnp` shows which; end it or choose another port"),
    (Errno::ADDRNOTAVAIL, "this machine does not have the address",
     "`ip address` lists the addresses; 127.0.0.1 is always there"),
];

/// The system's number of an error. An error without one gets that of its kind.
pub(crate) fn errno(error: &io::Error) -> Option<i32> {
    let by_kind = || {
        Some(match error.kind() {
            io::ErrorKind::PermissionDenied => Errno::ACCESS,
            io::ErrorKind::NotFound => Errno::NOENT,
            io::ErrorKind::AlreadyExists => Errno::EXIST,
            io::ErrorKind::StorageFull => Errno::NOSPC,
            io::ErrorKind::QuotaExceeded => Errno::DQUOT,
            io::ErrorKind::ReadOnlyFilesystem => Errno::ROFS,
            io::ErrorKind::NotADirectory => Errno::NOTDIR,
            io::ErrorKind::IsADirectory => Errno::ISDIR,
            io::ErrorKind::DirectoryNotEmpty => Errno::NOTEMPTY,
            io::ErrorKind::OutOfMemory => Errno::NOMEM,
            io::ErrorKind::Unsupported => Errno::OPNOTSUPP,
            io::ErrorKind::WouldBlock => Errno::AGAIN,
            io::ErrorKind::TimedOut => Errno::TIMEDOUT,
            io::ErrorKind::BrokenPipe => Errno::PIPE,
            io::ErrorKind::AddrInUse => Errno::ADDRINUSE,
            io::ErrorKind::AddrNotAvailable => Errno::ADDRNOTAVAIL,
            _ => return None,
        })
    };
    error.raw_os_error().or_else(|| by_kind().map(Errno::raw_os_error))
}

/// What the number means. `None`: it has no row.
pub(crate) fn known(errno: Option<i32>) -> Option<Refusal> {
    let errno = errno?;
    let row = REFUSALS.iter().find(|(known, _, _)| known.raw_os_error() == errno)?;
    Some(Refusal { words: row.1, step: row.2 })
}

/// Why, in words. An error of our own has words of its own.
pub(crate) fn words(errno: Option<i32>, source: Option<&io::Error>) -> String {
    if let Some(own) = source.filter(|source| source.get_ref().is_some()) {
        return own.to_string();
    }
    if let Some(refusal) = known(errno) {
        return refusal.words.to_owned();
    }
    let text = match (errno, source) {
        (Some(errno), _) => io::Error::from_raw_os_error(errno).to_string(),
        (None, Some(source)) => source.to_string(),
        (None, None) => "the operating system refused".to_owned(),
    };
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// What to do about it.
pub(crate) fn step(errno: Option<i32>) -> &'static str {
    known(errno).map_or(OTHER_STEP, |refusal| refusal.step)
}

/// Whether the system says that the caller has no right to do it.
pub(crate) fn is_denied(errno: Option<i32>) -> bool {
    [Errno::ACCESS, Errno::PERM].iter().any(|known| errno == Some(known.raw_os_error()))
}

/// Whether the system says that it cannot do this at all.
pub(crate) fn is_unsupported(errno: Option<i32>) -> bool {
    let known = [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP];
    known.iter().any(|known| errno == Some(known.raw_os_error()))
}

/// Whether another program has the port.
#[cfg(feature = "cli")]
pub(crate) fn is_port_taken(errno: Option<i32>) -> bool {
    errno == Some(Errno::ADDRINUSE.raw_os_error())
}

/// Whether the system says that nothing can be written there at all.
pub(crate) fn is_read_only(error: &io::Error) -> bool {
    errno(error) == Some(Errno::ROFS.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_words_and_a_step_on_one_line() {
        for (_, words, step) in REFUSALS {
            assert!(!words.is_empty() && !step.is_empty());
            assert!(!words.contains('\n') && !step.contains('\n'));
            assert!(words.len() + step.len() < 200, "{words} {step}");
        }
    }

    #[test]
    fn an_unknown_number_has_the_words_of_the_system_without_its_number() {
        assert_eq!(words(Some(Errno::MSGSIZE.raw_os_error()), None), "message too long");
        assert_eq!(step(Some(Errno::MSGSIZE.raw_os_error())), OTHER_STEP);
        let own = io::Error::new(io::ErrorKind::PermissionDenied, "not ours");
        assert_eq!(words(errno(&own), Some(&own)), "not ours");
        assert!(is_denied(errno(&own)));
    }
}
