//! Names and small file steps of the log, with errors that say where.
//!
//! ```text
//! log/0000000007.wal    segment 7, or a file kept for reuse (LOG-2)
//! log/0000000003.snap   snapshot 3
//! log/0000000008.prep   segment 8 while it is being made ready
//! log/*.damaged         set aside by healing, never read
//! ```

use crate::env::faults::Fault;
use crate::env::{Env, File, Fs, OpenMode, parent};
use crate::log::{Authenticator, LogError, LogOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The folder below the vault's.
pub(crate) const FOLDER: &str = "log";

/// What every part of the log needs: where, whose, and with which key.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) vault: [u8; 16],
    pub(crate) auth: Arc<dyn Authenticator>,
    /// Always, but in a test build that is to be caught.
    pub(crate) check_frames: bool,
}

/// The kinds of numbered files in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Segment,
    Snapshot,
    Preparing,
}

impl Kind {
    const fn extension(self) -> &'static str {
        match self {
            Self::Segment => "wal",
            Self::Snapshot => "snap",
            Self::Preparing => "prep",
        }
    }

    /// The file's name relative to the vault, as errors give it.
    pub(crate) fn name(self, number: u64) -> String {
        format!("{FOLDER}/{number:010}.{}", self.extension())
    }

    /// Kind and number of a name in the folder; `None` for anything that we would not write.
    pub(crate) fn parse(name: &str) -> Option<(Self, u64)> {
        let (stem, extension) = name.split_once('.')?;
        let kind = [Self::Segment, Self::Snapshot, Self::Preparing]
            .into_iter()
            .find(|kind| kind.extension() == extension)?;
        let number = stem.parse().ok()?;
        (kind.name(number).strip_prefix("log/")? == name).then_some((kind, number))
    }
}

impl Place {
    /// The place of `vault`'s log in `dir`.
    pub(crate) fn new(
        env: &Env,
        dir: &Path,
        vault: [u8; 16],
        auth: Arc<dyn Authenticator>,
        options: &LogOptions,
    ) -> Self {
        let check_frames = !options.faults.active(Fault::SkipFrameMac);
        Self { env: env.clone(), dir: dir.to_path_buf(), vault, auth, check_frames }
    }

    pub(crate) fn fs(&self) -> &dyn Fs {
        self.env.fs.as_ref()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.join(FOLDER)
    }

    pub(crate) fn path(&self, kind: Kind, number: u64) -> PathBuf {
        self.dir.join(kind.name(number))
    }

    /// The MAC of `parts` for this vault.
    pub(crate) fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len() + 1);
        all.push(&self.vault);
        all.extend_from_slice(parts);
        self.auth.tag(domain, &all)
    }

    /// Opens a file that must be there; a missing one is damage by `rule`.
    pub(crate) fn open_existing(
        &self,
        kind: Kind,
        number: u64,
        mode: OpenMode,
        rule: &'static str,
    ) -> Result<Arc<dyn File>, LogError> {
        let name = kind.name(number);
        match self.fs().open(&self.path(kind, number), mode) {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(LogError::damaged(name, 0, rule))
            }
            Err(error) => Err(LogError::io("open", &name, error)),
        }
    }

    /// Numbers of all files of one kind, in rising order.
    pub(crate) fn numbers(&self, wanted: Kind) -> Result<Vec<u64>, LogError> {
        let entries = self
            .fs()
            .read_dir(&self.folder())
            .map_err(|error| LogError::io("list", FOLDER, error))?;
        let mut numbers: Vec<u64> = entries
            .iter()
            .filter_map(|entry| Kind::parse(&entry.name))
            .filter_map(|(kind, number)| (kind == wanted).then_some(number))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Length of a file; `None` if there is none.
    pub(crate) fn len(&self, kind: Kind, number: u64) -> Result<Option<u64>, LogError> {
        let found = self
            .fs()
            .metadata(&self.path(kind, number))
            .map_err(|error| LogError::io("stat", &kind.name(number), error))?;
        Ok(found.map(|metadata| metadata.len))
    }

    /// Removes a file; one that is gone already is fine.
    pub(crate) fn remove(&self, kind: Kind, number: u64) -> Result<(), LogError> {
        match self.fs().remove_file(&self.path(kind, number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LogError::io("remove", &kind.name(number), error))
            }
            _ => Ok(()),
        }
    }

    /// Makes the names in the log's folder durable.
    pub(crate) fn sync_folder(&self) -> Result<(), LogError> {
        sync_dir(self.fs(), &self.folder(), FOLDER)
    }

    /// Fresh random bytes.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], LogError> {
        self.env.random().map_err(|error| LogError::io("random", "", error))
    }
}

/// Syncs a directory.
pub(crate) fn sync_dir(fs: &dyn Fs, path: &Path, name: &str) -> Result<(), LogError> {
    fs.sync_dir(path).map_err(|error| LogError::io("sync", name, error))
}

/// Syncs a directory and the one that names it.
pub(crate) fn sync_dir_and_parent(fs: &dyn Fs, path: &Path) -> Result<(), LogError> {
    sync_dir(fs, path, "")?;
    sync_dir(fs, &parent(path), "..")
}

/// Reads up to `len` bytes: fewer only at the end of the file.
pub(crate) fn read_up_to(
    file: &dyn File,
    name: &str,
    len: usize,
    offset: u64,
) -> Result<Vec<u8>, LogError> {
    let mut bytes = vec![0; len];
    let mut done = 0;
    while done < len {
        let rest = bytes.get_mut(done..).unwrap_or_default();
        match file.read_at(rest, offset.saturating_add(done as u64)) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(LogError::io("read", name, error)),
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

/// Fills a file with real zeros up to `len`, so that a later write there allocates nothing.
pub(crate) fn fill_with_zeros(
    file: &dyn File,
    name: &str,
    from: u64,
    len: u64,
) -> Result<(), LogError> {
    const STEP: usize = 256 * 1024;
    let all = usize::try_from(len.saturating_sub(from)).unwrap_or(STEP);
    let zeros = vec![0; all.min(STEP)];
    let mut offset = from;
    while offset < len {
        let step = usize::try_from(len - offset).unwrap_or(STEP).min(STEP);
        file.write_all_at(zeros.get(..step).unwrap_or_default(), offset)
            .map_err(|error| LogError::write(name, error))?;
        offset += step as u64;
    }
    Ok(())
}

/// Compares MACs without telling where they differ.
pub(crate) fn same_tag(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.as_slice().ct_eq(right.as_slice()).into()
}
