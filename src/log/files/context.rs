//! The environment, folder, vault and key of a log, and operations on its files.

use super::io::sync_dir;
use crate::env::faults::Fault;
use crate::env::{Env, File, Fs, OpenMode};
use crate::log::authenticator::Authenticator;
use crate::log::error::LogError;
use crate::log::files::{FOLDER, FileKind};
use crate::log::options::LogOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The environment, folder, vault and key of a log. Every part of the log needs them.
#[derive(Clone)]
pub(crate) struct LogContext {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) vault: [u8; 16],
    pub(crate) auth: Arc<dyn Authenticator>,
    /// True except in a test build that breaks it on purpose.
    pub(crate) check_frames: bool,
}

impl LogContext {
    /// The context of `vault`'s log in `dir`.
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

    pub(crate) fn path(&self, kind: FileKind, number: u64) -> PathBuf {
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
        kind: FileKind,
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

    /// The number of the newest file of one kind. 0: there is none.
    pub(crate) fn newest(&self, kind: FileKind) -> Result<u64, LogError> {
        Ok(self.numbers(kind)?.last().copied().unwrap_or(0))
    }

    /// Numbers of all files of one kind, in rising order.
    pub(crate) fn numbers(&self, wanted: FileKind) -> Result<Vec<u64>, LogError> {
        let entries = self
            .fs()
            .read_dir(&self.folder())
            .map_err(|error| LogError::io("list", FOLDER, error))?;
        let mut numbers: Vec<u64> = entries
            .iter()
            .filter_map(|entry| FileKind::parse(&entry.name))
            .filter_map(|(kind, number)| (kind == wanted).then_some(number))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Length of a file; `None` if there is none.
    pub(crate) fn len(&self, kind: FileKind, number: u64) -> Result<Option<u64>, LogError> {
        let found = self
            .fs()
            .metadata(&self.path(kind, number))
            .map_err(|error| LogError::io("stat", &kind.name(number), error))?;
        Ok(found.map(|metadata| metadata.len))
    }

    /// Removes a file; one that is gone already is fine.
    pub(crate) fn remove(&self, kind: FileKind, number: u64) -> Result<(), LogError> {
        match self.fs().remove_file(&self.path(kind, number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LogError::io("remove", &kind.name(number), error))
            }
            _ => Ok(()),
        }
    }

    /// Renames a damaged file to `*.damaged`, so that nothing takes it for a file of the log.
    pub(crate) fn move_aside(&self, file: &str) -> Result<(), LogError> {
        let from = self.dir.join(file);
        let to = self.dir.join(format!("{file}.damaged"));
        match self.fs().rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LogError::io("rename", file, error))
            }
            _ => self.sync_folder(),
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
