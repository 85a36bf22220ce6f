//! The anchor: a small file outside the vault's folder that knows how far the vault had come (I12, rules RB-1
//! to RB-6 of `docs/TRIALS.md`).
//!
//! Whoever can write the folder can put an older copy of all of it back. The anchor notices that: it names
//! the last operation and the digest of all rows, under a MAC of the vault's keys. Each refresh is also a row
//! of the vault, so a copy that went on without the anchor is noticed even where it is longer.
//!
//! ```text
//! # strongroom anchor v1; vault 8b0c0f6e-52a7-4d3c-9a55-0d6f4f9f8f11
//! LSN | wall clock in ms | digest | place | mark | MAC        decimal, then hexadecimal, one space between
//! ```
//!
//! - [`words`]: what the file says.

use super::error::RowError;
use super::options::Options;
use super::ownership::{existing_parent, is_inside};
use super::rows::{self, Refresh};
use crate::crypto::Keyring;
use crate::env::real::is_writable;
use crate::env::{Env, parent, private_file, read_file, refusals};
use crate::error::{Error, ErrorKind, Result};
use crate::log::End;
use crate::model::Lsn;
use crate::store::Store;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use words::{BYTES_MAX, INTRO, WORDS_MAX, Words};

mod words;

/// How long a file that could not be written is left alone.
const PAUSE: Duration = Duration::from_secs(60);
/// What is wrong with an anchor in the folder of its vault.
const IS_INSIDE: &str = "the anchor file is inside the vault's folder, so whoever puts an older copy back \
    puts the older anchor back too; name one outside the folder";

/// The anchor of an open vault.
pub(crate) struct Anchor {
    path: PathBuf,
    is_writable: bool,
    /// Whether a rollback is accepted.
    accepts: bool,
    known: Mutex<Known>,
}

struct Known {
    /// What the file says.
    words: Option<Words>,
    place: [u8; 8],
    /// Whether the file would say that after a power cut too.
    is_settled: bool,
    /// What the file may say instead: a refresh failed when it gave the file its name.
    tried: Option<Words>,
    /// A rollback was accepted, and not yet written down.
    is_accepted: bool,
    /// Why the last refresh failed.
    failed: Option<String>,
    not_before: Duration,
}

/// Who asks for a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoteFor {
    /// An open vault, which writes the anchor.
    Open,
    /// A check, which writes nothing.
    Check,
}

impl Anchor {
    /// The anchor that the options name, of the vault in `dir`. `None`: they name none. A file that was
    /// changed is refused like a rollback, and one inside the folder is refused as well.
    pub(crate) fn find(
        env: &Env,
        dir: &Path,
        options: &Options,
        keys: &Keyring,
    ) -> Result<Option<Self>> {
        let Some(path) = options.anchor.clone() else { return Ok(None) };
        if is_inside(env, dir, &path) {
            return Err(ErrorKind::Usage { what: IS_INSIDE }.into());
        }
        let (path, text) = read(env, path, keys)?;
        let accepts = options.accept_rollback;
        let words = text.as_deref().map(|text| Words::parse(text, keys));
        let is_accepted = matches!(words, Some(None));
        if is_accepted && !accepts {
            let file = path.display().to_string();
            return Err(ErrorKind::Damaged { file, offset: 0, rule: "RB-2" }.into());
        }
        let words = words.flatten();
        let place = match &words {
            Some(words) => words.place,
            None => env.random().map_err(Error::no_entropy)?,
        };
        let is_writable = !env.fs.is_real() || is_writable(&existing_parent(env, &path));
        let (is_settled, tried, failed, not_before) = (false, None, None, Duration::ZERO);
        let known = Known { words, place, is_settled, tried, is_accepted, failed, not_before };
        Ok(Some(Self { path, is_writable, accepts, known: Mutex::new(known) }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is worth telling when the vault is opened or checked (RB-5).
    pub(crate) fn note_of(anchor: Option<&Self>, asked: NoteFor) -> Option<String> {
        let none = || {
            "there is no anchor file: a rollback of the whole folder would go unnoticed; name one outside \
             the folder with --anchor FILE"
                .to_owned()
        };
        anchor.map_or_else(|| Some(none()), |anchor| anchor.note(asked))
    }

    fn note(&self, asked: NoteFor) -> Option<String> {
        let path = self.path.display();
        let known = self.known();
        if let Some(why) = &known.failed {
            return Some(format!(
                "the anchor file cannot be refreshed, so a rollback to a copy made since then goes \
                 unnoticed: {why}"
            ));
        }
        let when = match asked {
            NoteFor::Open => "it is made now",
            NoteFor::Check => "a check makes none, the next command that opens the vault does",
        };
        match (known.words.is_some(), self.is_writable) {
            (_, false) => Some(format!(
                "the anchor file {path} cannot be written: a rollback to a copy made from now on goes \
                 unnoticed; name a place that can be written with --anchor FILE"
            )),
            (true, true) => None,
            (false, true) => Some(format!(
                "there is no anchor file {path} yet, so an earlier rollback would go unnoticed; {when}"
            )),
        }
    }

    /// Refuses a log that ends before the anchor, or as long with other rows (RB-1).
    pub(crate) fn judge_end(&self, end: &End) -> Result<()> {
        self.judge(end, |words| {
            Ok(words.lsn < end.lsn || (words.lsn == end.lsn && words.digest == end.digest))
        })
    }

    /// Refuses a log that is longer and has never seen the anchor (RB-3).
    pub(crate) fn judge_rows(&self, rows: &dyn Store, keys: &Keyring, end: &End) -> Result<()> {
        self.judge(end, |words| Ok(rows::anchors(rows, keys)?.knows(words.place, words.mark)))
    }

    fn judge(&self, end: &End, is_right: impl FnOnce(&Words) -> Result<bool>) -> Result<()> {
        let mut known = self.known();
        let Some(words) = known.words.as_ref().filter(|_| !known.is_accepted) else {
            return Ok(());
        };
        if is_right(words)? {
            return Ok(());
        }
        if !self.accepts {
            return Err(self.rolled_back(words, end));
        }
        known.is_accepted = true;
        Ok(())
    }

    fn rolled_back(&self, words: &Words, end: &End) -> Error {
        ErrorKind::RolledBack {
            anchor: self.path.clone(),
            known_lsn: words.lsn.0,
            known_millis: words.wall.0,
            found_lsn: end.lsn.0,
            found_millis: end.clock.wall.0,
        }
        .into()
    }

    /// Whether the file says less than the vault whose last operation is `lsn`.
    pub(crate) fn is_behind(&self, lsn: Lsn, now: Duration) -> bool {
        let known = self.known();
        let is_same = known.words.as_ref().is_some_and(|words| words.lsn == lsn);
        let is_open = known.is_accepted || known.failed.is_some();
        self.is_writable && (!is_same || is_open) && now >= known.not_before
    }

    /// Brings the file to the end of the log. `commit` makes the refresh a row of the vault first, or says
    /// with `None` that this is no time for it. After a failure the file is left alone for a while.
    pub(crate) fn refresh(
        &self,
        env: &Env,
        keys: &Keyring,
        commit: impl FnOnce(Refresh) -> Result<Option<End>>,
    ) -> Result<()> {
        let mut known = self.known();
        match self.try_refresh(env, keys, &mut known, commit) {
            Ok(true) => known.failed = None,
            Ok(false) => {}
            Err(error) => {
                known.failed = Some(error.to_string());
                known.not_before = env.clock.monotonic().saturating_add(PAUSE);
                return Err(error);
            }
        }
        Ok(())
    }

    /// `false`: `commit` says that this is no time for it.
    fn try_refresh(
        &self,
        env: &Env,
        keys: &Keyring,
        known: &mut Known,
        commit: impl FnOnce(Refresh) -> Result<Option<End>>,
    ) -> Result<bool> {
        let io = |error| Error::io("write", &self.path, error);
        let folder = parent(&self.path);
        private_file::make_dirs(env, &folder).map_err(io)?;
        if !known.is_settled {
            // A row knows the last two marks of a place. Two files that may both be there after a power cut
            // would need a third.
            sync_names(env, &folder).map_err(io)?;
            if known.tried.is_some() {
                let text = read_text(env, &self.path)?;
                let said = text.as_deref().and_then(|text| Words::parse(text, keys));
                // Anything else was there before, or is not ours.
                if said == known.tried {
                    known.words = said;
                }
                known.tried = None;
            }
            known.is_settled = true;
        }
        let refresh = Refresh {
            place: known.place,
            before: known.words.as_ref().map_or([0; 16], |words| words.mark),
            mark: env.random().map_err(Error::no_entropy)?,
            is_accepted: known.is_accepted,
        };
        // With its space, so that nothing is committed for a file that cannot be written.
        let draft = private_file::Draft::new(env, &self.path, &[b' '; WORDS_MAX]).map_err(io)?;
        let Some(end) = commit(refresh)? else { return Ok(false) };
        // It is counted, whatever becomes of the file.
        known.is_accepted = false;
        let words = Words {
            vault: keys.vault_id(),
            lsn: end.lsn,
            wall: end.clock.wall,
            digest: end.digest,
            place: refresh.place,
            mark: refresh.mark,
        };
        draft.rewrite(words.encode(keys).as_bytes()).map_err(io)?;
        known.is_settled = false;
        known.tried = Some(words.clone());
        draft.take_name().map_err(io)?;
        sync_names(env, &folder).map_err(io)?;
        known.is_settled = true;
        known.tried = None;
        known.words = Some(words);
        Ok(true)
    }
}

/// Makes the names in `folder` durable. Some file systems cannot do this at all, and keep them without it.
fn sync_names(env: &Env, folder: &Path) -> io::Result<()> {
    match env.fs.sync_dir(folder) {
        Err(error) if refusals::is_unsupported(refusals::errno(&error)) => Ok(()),
        outcome => outcome,
    }
}

/// The text of the anchor file, and where it is. A file of another vault is left alone: the anchor's name
/// then has the vault's id in it.
fn read(env: &Env, path: PathBuf, keys: &Keyring) -> Result<(PathBuf, Option<String>)> {
    let text = read_text(env, &path)?;
    let is_others = text.as_ref().is_some_and(|text| {
        let first = text.lines().next().and_then(|line| line.strip_prefix(INTRO));
        first.is_some_and(|id| id != keys.vault_id().to_string())
    });
    if !is_others {
        return Ok((path, text));
    }
    let mut name = path.into_os_string();
    name.push(format!(".{}", keys.vault_id()));
    let path = PathBuf::from(name);
    let text = read_text(env, &path)?;
    Ok((path, text))
}

fn read_text(env: &Env, path: &Path) -> Result<Option<String>> {
    match read_file(env.fs.as_ref(), path, BYTES_MAX as u64) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

impl rows::AnchorRow {
    /// The same row with one more refresh, sealed by the caller.
    pub(crate) fn with(mut self, refresh: Refresh) -> std::result::Result<Vec<u8>, RowError> {
        self.note(refresh);
        rows::encode_anchors(&self).map_err(|_| RowError::Plan("ROW-7"))
    }
}
