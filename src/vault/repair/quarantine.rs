//! The quarantine: a numbered folder inside the vault where a repair keeps the originals of what it replaces.
//!
//! ```text
//! damaged/0001/            0700; the originals of the first repair, under their names
//! damaged/0001/log/...
//! ```
//!
//! Copies are durable before anything is changed. They are never read or removed again.

use crate::env::{Env, FileKind};
use crate::error::{Error, Result};
use crate::vault::salvage::state_copy::copy_file;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the folder inside a vault.
pub(crate) const FOLDER: &str = "damaged";
/// The log's folder. A repair of the log renames its damaged files.
const LOG: &str = "log";
const ENDING: &str = ".damaged";

/// The folder of one repair. It is made when the first file is kept.
pub(crate) struct Quarantine {
    env: Env,
    dir: PathBuf,
    made: Option<PathBuf>,
}

impl Quarantine {
    /// An empty quarantine for the vault in `dir`.
    pub(crate) fn new(env: &Env, dir: &Path) -> Self {
        Self { env: env.clone(), dir: dir.to_path_buf(), made: None }
    }

    /// The folder, if something was kept.
    pub(crate) fn place(&self) -> Option<&Path> {
        self.made.as_deref()
    }

    /// Keeps a copy of a file or folder of the vault, durable when this returns. A missing one is ignored.
    pub(crate) fn keep(&mut self, name: &str) -> Result<()> {
        self.try_keep(name).map_err(|error| Error::io("keep", self.dir.join(name), error))
    }

    fn try_keep(&mut self, name: &str) -> io::Result<()> {
        let from = self.dir.join(name);
        let Some(found) = self.env.fs.metadata(&from)? else { return Ok(()) };
        let to = self.folder()?.join(name);
        if self.env.fs.metadata(&to)?.is_some() {
            return Ok(());
        }
        let above = crate::env::parent(&to);
        let fs = Arc::clone(&self.env.fs);
        if fs.metadata(&above)?.is_none() {
            fs.create_dir(&above)?;
            fs.sync_dir(&crate::env::parent(&above))?;
        }
        match found.kind {
            FileKind::Dir => {
                fs.create_dir(&to)?;
                for entry in fs.read_dir(&from)? {
                    self.try_keep(&format!("{name}/{}", entry.name))?;
                }
                fs.sync_dir(&to)?;
            }
            FileKind::File => copy_file(fs.as_ref(), &from, &to)?.sync_all()?,
            // Anything else has no content to keep.
            FileKind::Other => return Ok(()),
        }
        fs.sync_dir(&above)
    }

    /// Keeps all files of the log.
    pub(crate) fn keep_log(&mut self) -> Result<()> {
        let log = self.dir.join(LOG);
        let entries = self.env.fs.read_dir(&log).map_err(|error| Error::io("list", log, error))?;
        for entry in entries {
            self.keep(&format!("{LOG}/{}", entry.name))?;
        }
        Ok(())
    }

    /// Moves files here that a repair of the log has set aside in the log's folder.
    pub(crate) fn take_in(&mut self) -> Result<()> {
        self.try_take_in().map_err(|error| Error::io("keep", self.dir.join(LOG), error))
    }

    fn try_take_in(&mut self) -> io::Result<()> {
        let log = self.dir.join(LOG);
        let entries = self.env.fs.read_dir(&log)?;
        for entry in entries.iter().filter(|entry| entry.name.ends_with(ENDING)) {
            let to = self.folder()?.join(LOG);
            if self.env.fs.metadata(&to)?.is_none() {
                self.env.fs.create_dir(&to)?;
                self.env.fs.sync_dir(&crate::env::parent(&to))?;
            }
            self.env.fs.rename(&log.join(&entry.name), &to.join(&entry.name))?;
            self.env.fs.sync_dir(&to)?;
            self.env.fs.sync_dir(&log)?;
        }
        Ok(())
    }

    /// The folder of this repair, durable under its name.
    fn folder(&mut self) -> io::Result<PathBuf> {
        if let Some(made) = &self.made {
            return Ok(made.clone());
        }
        let fs = self.env.fs.as_ref();
        let all = self.dir.join(FOLDER);
        if fs.metadata(&all)?.is_none() {
            fs.create_dir(&all)?;
            fs.sync_dir(&self.dir)?;
        }
        let taken = fs.read_dir(&all)?;
        let last = taken.iter().filter_map(|entry| entry.name.parse::<u32>().ok()).max();
        let made = all.join(format!("{:04}", last.unwrap_or(0).saturating_add(1)));
        fs.create_dir(&made)?;
        fs.sync_dir(&all)?;
        self.made = Some(made.clone());
        Ok(made)
    }
}
