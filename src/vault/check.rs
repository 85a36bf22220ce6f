//! `check`: looks at everything with the vault's key and changes nothing.
//!
//! The truth is read whole, every authenticated byte of it; its rows are put together in memory and
//! every value is opened. The state is compared through a private copy, because sled cannot open
//! without writing. What the next open heals or rebuilds by itself is a warning.

use super::dir::VaultDir;
use super::epoch::from_crypto;
use super::keeper::from_log;
use super::logkeys::LogKeys;
use super::open::{equals, refuse_rollback};
use super::options::{StoreChoice, Tuning};
use super::state::{State, StateOpener};
use crate::crypto::{Keyring, Unlock};
use crate::env::{Env, FileKind, Fs, OpenMode, parent, read_exact_at, temp_dir};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{End, Log, LogError};
use crate::model::Tree;
use crate::store::{SledOptions, SledStore, Store};
use std::path::{Path, PathBuf};

/// Bytes copied in one go.
const COPY_BYTES: usize = 256 * 1024;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Operations in the truth.
    pub lsn: u64,
    /// Rows in the truth.
    pub rows: u64,
    /// Versions whose value was opened.
    pub values: u64,
    /// Things that the next open heals or rebuilds by itself.
    pub warnings: Vec<String>,
    /// Damage that needs repair: the text of an [`ErrorKind::Damaged`].
    pub damage: Vec<String>,
}

/// Checks the vault of a locked folder.
pub(super) fn check(place: &VaultDir, unlock: &Unlock) -> Result<CheckReport> {
    let (twin, content, keystore) = place.keystore()?;
    let keys = keystore.unlock(unlock).map_err(from_crypto)?;
    let mut report = CheckReport::default();
    if content.needs_repair {
        let [a, b] = twin.names();
        report.warnings.push(format!(
            "one copy of the keystore is damaged or old; the next open rewrites it. files={a},{b}"
        ));
    }
    let options = place.options.tuning.log_options();
    let truth =
        match Log::open(&place.env, &place.dir, keys.vault_id().0, LogKeys::of(&keys), options) {
            Ok(truth) => truth,
            Err(LogError::Damaged(damage)) => {
                let healable =
                    damage.proven_end.as_ref().is_some_and(|end| state_equals(place, &keys, end));
                let text = Error::from(ErrorKind::Damaged {
                    file: damage.file.clone(),
                    offset: damage.offset,
                    rule: damage.rule,
                })
                .to_string();
                if healable {
                    report
                        .warnings
                        .push(format!("{text}; the state holds it all, the next open heals it"));
                } else {
                    report.damage.push(text);
                }
                return Ok(report);
            }
            Err(error) => return Err(from_log(error)),
        };
    if let Err(error) = refuse_rollback(&truth, &keystore) {
        report.damage.push(error.to_string());
        return Ok(report);
    }
    report.lsn = truth.end().lsn.0;
    report.warnings.extend(truth.repair_notes());

    // In memory, whatever the vault itself uses: nothing on disk is touched.
    let tuning = Tuning { store: StoreChoice::Memory, ..place.options.tuning.clone() };
    let opener = StateOpener::of(place, &tuning, &keys);
    let memory = match opener.open(&truth) {
        Ok(memory) => memory.state,
        Err(error) if state_equals(place, &keys, truth.end()) => {
            report
                .warnings
                .push(format!("{error}; the state holds it all, the next pass heals it"));
            return Ok(report);
        }
        Err(error) => {
            report.damage.push(error.to_string());
            return Ok(report);
        }
    };
    open_everything(memory.store(), &keys, &mut report);
    if place.options.tuning.store == StoreChoice::Auto
        && place.env.fs.is_real()
        && !state_equals(place, &keys, truth.end())
    {
        report.warnings.push("the state differs from the log or was not closed; the next open rebuilds or completes it".to_owned());
    }
    Ok(report)
}

/// Opens every row and every value, in the fence.
fn open_everything(store: &dyn Store, keys: &Keyring, report: &mut CheckReport) {
    let marks = super::accessed::Marks::default();
    let view = super::view::RowView::new(&store, keys, &marks, None);
    for tree in Tree::ALL {
        let mut bad = 0_u64;
        let scanned = store.scan(tree, &mut |key, row| {
            report.rows += 1;
            let opens = match tree {
                Tree::Versions => {
                    report.values += 1;
                    view.version_opens(key, row)
                }
                Tree::Secrets => view.secret_opens(key, row),
                Tree::Keys | Tree::Blobs => true,
                _ => keys.open_row(tree, key, row).is_ok(),
            };
            bad += u64::from(!opens);
        });
        if bad > 0 || scanned.is_err() {
            report
                .damage
                .push(format!("rows of the log do not open. tree={} rows={bad}", tree as u8));
        }
    }
}

/// Whether the state is the truth's end. Opened in a private copy, since sled writes when it opens.
fn state_equals(place: &VaultDir, keys: &Keyring, end: &End) -> bool {
    let Some(copy) = Copied::of_state(&place.env, &place.dir) else { return false };
    let Ok(store) =
        SledStore::open(place.env.fs.clone(), &copy.dir.join("state"), SledOptions::default())
    else {
        return false;
    };
    let state = State::Sled(store);
    let equal = equals(state.store(), keys, end);
    let _ = state.close();
    equal
}

/// A copy of the state folder, removed when dropped.
struct Copied<'a> {
    env: &'a Env,
    dir: PathBuf,
}

impl<'a> Copied<'a> {
    fn of_state(env: &'a Env, vault: &Path) -> Option<Self> {
        let name = u64::from_le_bytes(env.random().ok()?);
        let dir = temp_dir().join(format!("strongroom-check-{name:016x}"));
        env.fs.create_dir(&dir).ok()?;
        let copy = Self { env, dir };
        copy_dir(env.fs.as_ref(), &vault.join("state"), &copy.dir.join("state")).ok()?;
        Some(copy)
    }
}

impl Drop for Copied<'_> {
    fn drop(&mut self) {
        // Sealed rows only; a leftover harms nobody.
        let _ = self.env.fs.remove_dir_all(&self.dir);
    }
}

fn copy_dir(fs: &dyn Fs, from: &Path, to: &Path) -> std::io::Result<()> {
    fs.create_dir(to)?;
    for entry in fs.read_dir(from)? {
        let (from, to) = (from.join(&entry.name), to.join(&entry.name));
        match entry.kind {
            FileKind::Dir => copy_dir(fs, &from, &to)?,
            FileKind::File => copy_file(fs, &from, &to)?,
            FileKind::Other => return Err(std::io::ErrorKind::InvalidData.into()),
        }
    }
    debug_assert!(parent(to) != *to);
    Ok(())
}

fn copy_file(fs: &dyn Fs, from: &Path, to: &Path) -> std::io::Result<()> {
    let (source, target) = (fs.open(from, OpenMode::Read)?, fs.open(to, OpenMode::CreateNew)?);
    let (len, mut at) = (source.len()?, 0);
    while at < len {
        let part = usize::try_from(len - at).unwrap_or(COPY_BYTES).min(COPY_BYTES);
        target.write_all_at(&read_exact_at(source.as_ref(), part, at)?, at)?;
        at += part as u64;
    }
    Ok(())
}
