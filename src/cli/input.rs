//! What comes in: files that the user names, standard input, prompts.
//!
//! A path given by the user is opened as the user means it: links are followed and pipes are read,
//! so `--passphrase-file <(pass show vault)` and mounted secrets (which are links) work. That is
//! why this does not go through `env::Fs`, which follows nothing below a vault.

use super::exit::Failure;
use super::signal;
use crate::env::real::effective_uid;
use crate::secret::SecretBytes;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where bytes are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// `-`
    Stdin,
    /// A file, pipe or link to one.
    Path(PathBuf),
}

impl Input {
    /// What an argument means: `-` is standard input.
    pub(crate) fn named(path: &Path) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::Path(path.to_path_buf()) }
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// An opened input.
pub(crate) struct Opened(Option<OwnedFd>);

impl Opened {
    /// Opens `input`.
    pub(crate) fn open(input: &Input) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
        match input {
            Input::Stdin => Ok(Self(None)),
            Input::Path(path) => Ok(Self(Some(rustix::fs::open(path, flags, Mode::empty())?))),
        }
    }

    /// Permission bits of what was opened, not of what the path names by now. `None` for standard
    /// input: whoever redirected it had read it already.
    pub(crate) fn mode(&self) -> io::Result<Option<u32>> {
        match &self.0 {
            None => Ok(None),
            #[allow(clippy::useless_conversion)] // 16 bits wide on some systems.
            Some(fd) => Ok(Some(u32::from(rustix::fs::fstat(fd)?.st_mode) & 0o7777)),
        }
    }

    /// Whether what was opened is a regular file of this user that nobody else can reach.
    pub(crate) fn is_ours(&self) -> io::Result<bool> {
        let Some(fd) = &self.0 else { return Ok(false) };
        let found = rustix::fs::fstat(fd)?;
        Ok(FileType::from_raw_mode(found.st_mode).is_file()
            && found.st_mode & 0o077 == 0
            && found.st_uid == effective_uid())
    }

    /// Reads to the end. `Ok(None)`: there is more than `len_max` bytes.
    pub(crate) fn read(self, len_max: usize) -> io::Result<Option<SecretBytes>> {
        match &self.0 {
            None => read_to_end(io::stdin().as_fd(), len_max),
            Some(fd) => read_to_end(fd.as_fd(), len_max),
        }
    }
}

/// Reads into one buffer of the full size: growing would leave copies behind.
fn read_to_end(from: BorrowedFd<'_>, len_max: usize) -> io::Result<Option<SecretBytes>> {
    let mut buffer = Zeroizing::new(vec![0; len_max.saturating_add(1)]);
    let mut len = 0;
    while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(from, rest) {
            Ok(0) => return Ok(buffer.get(..len).map(SecretBytes::copy_from)),
            Ok(read) => len += read,
            Err(Errno::INTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(None)
}

/// Whether there is a person to ask: a terminal that can be opened, and standard input or standard
/// error connected to one. The second half keeps a batch job that merely inherits a terminal from
/// waiting for an answer.
pub(crate) fn has_person() -> bool {
    let attached = io::stdin().is_terminal() || io::stderr().is_terminal();
    attached && rustix::fs::open("/dev/tty", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).is_ok()
}

/// Whether standard input is a terminal.
pub(crate) fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Asks on the terminal, without echo. Ctrl-C ends the command with 130; Ctrl-D gives nothing.
pub(crate) fn prompt(question: &str) -> Result<SecretBytes, Failure> {
    let answer = signal::while_prompting(|| rpassword::prompt_password(question));
    match answer {
        Ok(text) => Ok(SecretBytes::from(text)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(Failure::interrupted()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(SecretBytes::new(Vec::new()))
        }
        Err(error) => Err(Failure::io("the terminal cannot be read", &error)),
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
        let opened = Opened::open(&Input::named(&path)).unwrap();
        opened.read(len_max).unwrap().map(|bytes| bytes.expose().to_vec())
    }

    #[test]
    fn a_limit_is_met_and_not_passed() {
        assert_eq!(read(b"", 4), Some(vec![]));
        assert_eq!(read(b"abcd", 4), Some(b"abcd".to_vec()));
        assert_eq!(read(b"abcde", 4), None);
    }

    #[test]
    fn links_are_followed_and_the_mode_is_that_of_the_file() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("f"), dir.path().join("l"));
        std::fs::write(&file, "x").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let opened = Opened::open(&Input::named(&link)).unwrap();
        assert_eq!(opened.mode().unwrap(), Some(0o640));
    }

    #[test]
    fn a_hyphen_is_standard_input() {
        assert_eq!(Input::named(Path::new("-")), Input::Stdin);
        assert_eq!(Input::named(Path::new("./-")), Input::Path("./-".into()));
    }
}
