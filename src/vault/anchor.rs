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

use super::error::RowError;
use super::options::Options;
use super::rows::{self, Refresh};
use crate::crypto::{Keyring, VaultId};
use crate::env::real::is_writable;
use crate::env::{Env, UnixMillis, parent, private_file, read_file};
use crate::error::{Error, ErrorKind, Result};
use crate::log::End;
use crate::model::Lsn;
use crate::store::Store;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const INTRO: &str = "# strongroom anchor v1; vault ";
const DOMAIN: &str = "strongroom/v1/anchor";
/// No anchor file is longer.
const BYTES_MAX: u64 = 4096;
/// How long a file that could not be written is left alone.
const PAUSE: Duration = Duration::from_secs(60);

/// What an anchor file says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    vault: VaultId,
    lsn: Lsn,
    wall: UnixMillis,
    digest: [u8; 32],
    place: [u8; 8],
    mark: [u8; 16],
}

impl Words {
    /// Hands the parts under the MAC to `with`.
    fn authenticated<T>(&self, with: impl FnOnce(&[&[u8]]) -> T) -> T {
        let (lsn, wall) = (self.lsn.0.to_le_bytes(), self.wall.0.to_le_bytes());
        with(&[&self.vault.0[..], &lsn, &wall, &self.digest, &self.place, &self.mark])
    }

    fn encode(&self, keys: &Keyring) -> String {
        let (digest, place, mark) =
            (hex::encode(self.digest), hex::encode(self.place), hex::encode(self.mark));
        let mac = self.authenticated(|parts| keys.log().mac(DOMAIN, parts));
        let (lsn, wall, mac) = (self.lsn.0, self.wall.0, hex::encode(mac));
        format!("{INTRO}{}\n{lsn} {wall} {digest} {place} {mark} {mac}\n", self.vault)
    }

    /// `None`: these are not the words of this vault, or they were changed.
    fn parse(text: &str, keys: &Keyring) -> Option<Self> {
        let (intro, rest) = text.split_once('\n')?;
        if intro.strip_prefix(INTRO)? != keys.vault_id().to_string() {
            return None;
        }
        let mut fields = rest.trim_end().split(' ');
        let words = Self {
            vault: keys.vault_id(),
            lsn: Lsn(fields.next()?.parse().ok()?),
            wall: UnixMillis(fields.next()?.parse().ok()?),
            digest: bytes(fields.next()?)?,
            place: bytes(fields.next()?)?,
            mark: bytes(fields.next()?)?,
        };
        let mac: [u8; 32] = bytes(fields.next()?)?;
        let is_right = words.authenticated(|parts| keys.log().verify(DOMAIN, parts, &mac));
        (is_right && fields.next().is_none()).then_some(words)
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

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
    /// A rollback was accepted, and not yet written down.
    is_accepted: bool,
    not_before: Duration,
}

impl Anchor {
    /// The anchor that the options name. `None`: they name none. A file that was changed is refused like a
    /// rollback.
    pub(crate) fn find(env: &Env, options: &Options, keys: &Keyring) -> Result<Option<Self>> {
        let Some(path) = options.anchor.clone() else { return Ok(None) };
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
        let known = Known { words, place, is_accepted, not_before: Duration::ZERO };
        Ok(Some(Self { path, is_writable, accepts, known: Mutex::new(known) }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is worth telling when the vault is opened or checked (RB-5).
    pub(crate) fn note_of(anchor: Option<&Self>) -> Option<String> {
        let none = || {
            "there is no anchor file: a rollback of the whole folder would go unnoticed; name one outside \
             the folder with --anchor FILE"
                .to_owned()
        };
        anchor.map_or_else(|| Some(none()), Self::note)
    }

    fn note(&self) -> Option<String> {
        let path = self.path.display();
        let is_there = self.known().words.is_some();
        match (is_there, self.is_writable) {
            (_, false) => Some(format!(
                "the anchor file {path} cannot be written: a rollback to a copy made from now on goes \
                 unnoticed; name a place that can be written with --anchor FILE"
            )),
            (true, true) => None,
            (false, true) => Some(format!(
                "there is no anchor file {path} yet, so an earlier rollback would go unnoticed; it is made now"
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
        self.is_writable && (!is_same || known.is_accepted) && now >= known.not_before
    }

    /// Brings the file to the end of the log. `commit` makes the refresh a row of the vault first.
    pub(crate) fn refresh(
        &self,
        env: &Env,
        keys: &Keyring,
        commit: impl FnOnce(Refresh) -> Result<End>,
    ) -> Result<()> {
        let mut known = self.known();
        let refresh = Refresh {
            place: known.place,
            before: known.words.as_ref().map_or([0; 16], |words| words.mark),
            mark: env.random().map_err(Error::no_entropy)?,
            is_accepted: known.is_accepted,
        };
        let end = commit(refresh)?;
        let words = Words {
            vault: keys.vault_id(),
            lsn: end.lsn,
            wall: end.clock.wall,
            digest: end.digest,
            place: refresh.place,
            mark: refresh.mark,
        };
        let written = private_file::make_dirs(env, &parent(&self.path))
            .and_then(|()| private_file::write(env, &self.path, words.encode(keys).as_bytes()));
        if let Err(error) = written {
            known.not_before = env.clock.monotonic().saturating_add(PAUSE);
            return Err(Error::io("write", &self.path, error));
        }
        known.words = Some(words);
        known.is_accepted = false;
        Ok(())
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
    match read_file(env.fs.as_ref(), path, BYTES_MAX) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// The lowest folder above `path` that is there.
fn existing_parent(env: &Env, path: &Path) -> PathBuf {
    let mut at = parent(path);
    while matches!(env.fs.metadata(&at), Ok(None)) && parent(&at) != at {
        at = parent(&at);
    }
    at
}

impl rows::AnchorRow {
    /// The same row with one more refresh, sealed by the caller.
    pub(crate) fn with(mut self, refresh: Refresh) -> std::result::Result<Vec<u8>, RowError> {
        self.note(refresh);
        rows::encode_anchors(&self).map_err(|_| RowError::Plan("ROW-7"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::vault::Vault;
    use crate::vault::internals::keyring;

    /// RB-2
    #[test]
    fn any_change_of_the_file_is_noticed() {
        let vault = Vault::in_memory().unwrap();
        let keys = keyring(&vault);
        let words = Words {
            vault: vault.id(),
            lsn: Lsn(7),
            wall: UnixMillis(1),
            digest: [3; 32],
            place: [4; 8],
            mark: [5; 16],
        };
        let text = words.encode(&keys);
        assert_eq!(Words::parse(&text, &keys), Some(words));
        for at in 0..text.len() - 1 {
            let mut changed = text.clone().into_bytes();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(Words::parse(&changed, &keys), None, "{changed}");
        }
        let other = keyring(&Vault::in_memory().unwrap());
        assert_eq!(Words::parse(&text, &other), None);
    }
}
