//! Input and output of a command: standard streams, inputs named on the command line, the terminal.
//! Unlike files inside a vault, these inputs may be links and pipes.
//!
//! Nothing here is buffered. A buffer would keep a copy of a secret value until the process ends.

use crate::env::Metadata;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use zeroize::Zeroizing;

const TERMINAL: &str = "/dev/tty";

/// An opened input: a file, a pipe or standard input.
pub struct Input(Option<OwnedFd>);

impl Input {
    /// Standard input.
    #[must_use]
    pub fn stdin() -> Self {
        Self(None)
    }

    /// Opens `path`. Opening a pipe waits for its writer.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
        Ok(Self(Some(rustix::fs::open(path, flags, Mode::empty())?)))
    }

    /// Facts about the opened file, which the path may no longer name. `None` for standard input.
    pub fn metadata(&self) -> io::Result<Option<Metadata>> {
        self.0.as_ref().map(|fd| Ok(super::facts(&rustix::fs::fstat(fd)?))).transpose()
    }

    /// Permission bits of the opened file, which the path may no longer name. `None` for standard
    /// input.
    pub fn mode(&self) -> io::Result<Option<u32>> {
        let Some(fd) = &self.0 else { return Ok(None) };
        #[allow(clippy::useless_conversion)] // 16 bits wide on some systems.
        let mode = u32::from(rustix::fs::fstat(fd)?.st_mode);
        Ok(Some(mode & 0o7777))
    }

    /// Whether the input is a regular file of this user that nobody else can access.
    pub fn is_ours(&self) -> io::Result<bool> {
        let Some(fd) = &self.0 else { return Ok(false) };
        let found = rustix::fs::fstat(fd)?;
        Ok(FileType::from_raw_mode(found.st_mode).is_file()
            && found.st_mode.trailing_zeros() >= 6
            && found.st_uid == super::effective_uid())
    }

    /// Reads to the end, into one buffer that is wiped on drop and never grows. `Ok(None)` if there are
    /// more than `len_max` bytes.
    pub fn read_to_end(self, len_max: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match &self.0 {
            None => read_to_end(io::stdin().as_fd(), len_max),
            Some(fd) => read_to_end(fd.as_fd(), len_max),
        }
    }
}

fn read_to_end(from: BorrowedFd<'_>, len_max: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut buffer = Zeroizing::new(vec![0; len_max.saturating_add(1)]);
    let mut len = 0;
    while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(from, rest) {
            Ok(0) => {
                buffer.truncate(len);
                return Ok(Some(buffer));
            }
            Ok(read) => len += read,
            Err(Errno::INTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(None)
}

/// Writes all of `bytes` to standard output. Fails with `BrokenPipe` if the reader is gone.
pub fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    write_all(io::stdout().as_fd(), bytes)
}

/// Writes all of `bytes` to standard error.
pub fn write_stderr(bytes: &[u8]) -> io::Result<()> {
    write_all(io::stderr().as_fd(), bytes)
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// The process's terminal and its current settings. They can be restored if a prompt changed them and
/// was interrupted.
pub struct Terminal {
    fd: OwnedFd,
    settings: Termios,
}

impl Terminal {
    /// The terminal, if the process has one.
    #[must_use]
    pub fn current() -> Option<Self> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
        let fd = rustix::fs::open(TERMINAL, flags, Mode::empty()).ok()?;
        let settings = tcgetattr(&fd).ok()?;
        Some(Self { fd, settings })
    }

    /// Restores the settings.
    pub fn restore(&self) -> io::Result<()> {
        Ok(tcsetattr(&self.fd, OptionalActions::Now, &self.settings)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;

    fn read(bytes: &[u8], len_max: usize) -> Option<Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, bytes).unwrap();
        Input::open(&path).unwrap().read_to_end(len_max).unwrap().map(|bytes| bytes.to_vec())
    }

    #[test]
    fn a_limit_is_met_and_not_passed() {
        assert_eq!(read(b"", 4), Some(vec![]));
        assert_eq!(read(b"abcd", 4), Some(b"abcd".to_vec()));
        assert_eq!(read(b"abcde", 4), None);
    }

    #[test]
    fn an_inputs_links_are_followed_and_its_mode_is_that_of_the_file() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("f"), dir.path().join("l"));
        std::fs::write(&file, "x").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(Input::open(&link).unwrap().mode().unwrap(), Some(0o640));
    }
}
