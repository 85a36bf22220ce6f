//! `repair`: heals what an open heals, and what an open refuses to do silently.
//!
//! 1. Keystore and manifest: of two copies that contradict each other, the one that the key proves.
//! 2. The rest is examined as a deep check does it.
//! 3. What the next open heals is kept on the shelf and left to that open. What it does not: the
//!    furthest proven point is built in memory (`salvage`), the originals are kept, and the log is
//!    begun anew from there. If that loses something it is told, and done only when accepted.
//! 4. The vault is opened and closed, which heals the rest, and examined again.
//!
//! Interrupted anywhere, it leaves the old log or the new one, each whole as far as it was: until
//! the new manifest is durable nothing of the old is touched.

use super::check::{CheckReport, Finding, check, examine};
use super::quarantine::Shelf;
use crate::crypto::{Keyring, Keystore, Unlock};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{End, GoodCopy, Log, Remains, RowVisitor};
use crate::store::Store;
use crate::vault::directory::{VaultDir, keystore_twin, refuse_lax};
use crate::vault::error::{RowError, keystore_decode_error, keystore_error};
use crate::vault::lifecycle::open::{Unlocked, finish, visit_rows};
use crate::vault::log_keys::LogKeys;
use crate::vault::salvage::build::{Loss, Salvage, salvage};
use crate::vault::salvage::state_copy::Picture;
use crate::vault::state::opener::sum_rows;
use std::path::PathBuf;

/// How a repair ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepairOutcome {
    /// There was nothing to repair, and nothing was changed.
    #[default]
    NothingToDo,
    /// The vault is whole again; see [`RepairReport::loss`] for what it cost.
    Repaired,
    /// Something would be lost: nothing of the log was changed.
    WouldLose,
}

/// What a repair found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// How it ended.
    pub outcome: RepairOutcome,
    /// What was wrong.
    pub found: Vec<Finding>,
    /// What was done, in words.
    pub done: Vec<String>,
    /// The folder that holds the damaged originals.
    pub kept: Option<PathBuf>,
    /// What is lost, or would be.
    pub loss: Option<Loss>,
}

/// A repair under way.
struct Repair {
    place: VaultDir,
    shelf: Shelf,
    report: RepairReport,
}

/// Repairs the vault of a locked folder.
pub(crate) fn repair(
    mut place: VaultDir,
    unlock: &Unlock,
    accept_loss: bool,
) -> Result<RepairReport> {
    refuse_lax(&place.env, &place.dir)?;
    // Only what is asked for happens: no pass of the keeper besides.
    place.options.tuning.background = false;
    let shelf = Shelf::new(&place.env, &place.dir);
    let mut repair = Repair { place, shelf, report: RepairReport::default() };
    repair.settle_keystore(unlock)?;
    let (twin, content, keystore) = repair.place.keystore()?;
    let keys = keystore.unlock(unlock).map_err(keystore_error)?;
    let mut looked = CheckReport::default();
    for (file, rule) in twin.faults()? {
        looked.findings.push(Finding {
            file,
            offset: 0,
            rule,
            source: Some("the other copy"),
            heals_at_open: true,
        });
    }
    repair.settle_manifest(&keys)?;
    examine(&repair.place, &keystore, &keys, true, &mut looked)?;
    let open_work = looked.open_work();
    if !looked.damage.is_empty() && !repair.mend_log(&keystore, &keys, &looked, accept_loss)? {
        return Ok(repair.report);
    }
    for finding in looked.findings.iter().filter(|finding| finding.heals_at_open) {
        repair.shelf.keep(&finding.file)?;
        repair.report.done.push(healed(finding));
    }
    repair.report.found.extend(looked.findings);
    if repair.report.found.is_empty() && open_work.is_empty() {
        return Ok(repair.report);
    }
    let taken_care_of = open_work.iter().map(|what| format!("opened the vault. cause={what}"));
    repair.report.done.extend(taken_care_of);
    repair.open_and_close(Unlocked { twin, content, keystore, keys }, unlock)
}

impl Repair {
    /// Two copies of the keystore that contradict each other: the newest that this key opens counts.
    fn settle_keystore(&mut self, unlock: &Unlock) -> Result<()> {
        let refused = match self.place.keystore() {
            Err(error) if matches!(error.kind(), ErrorKind::Damaged { .. }) => error,
            _ => return Ok(()),
        };
        let twin = keystore_twin(&self.place.env.fs, &self.place.dir);
        let opens = |copy: &GoodCopy| {
            let keystore = Keystore::decode(&copy.body).map_err(keystore_decode_error).ok()?;
            let same = keystore.generation() == copy.generation;
            keystore.unlock(unlock).is_ok().then_some(()).filter(|()| same)
        };
        let copies = twin.copies()?;
        let Some(chosen) =
            copies.iter().filter(|copy| opens(copy).is_some()).max_by_key(|copy| copy.generation)
        else {
            return Err(refused);
        };
        for name in twin.names() {
            self.shelf.keep(&name)?;
        }
        self.note_copy(twin.name_of(chosen.copy.other()), refused.kind());
        twin.settle_on(chosen).map_err(Error::from)
    }

    /// The same for the manifest.
    fn settle_manifest(&mut self, keys: &Keyring) -> Result<()> {
        let VaultDir { env, dir, .. } = &self.place;
        let (vault, auth) = (keys.vault_id().0, LogKeys::of(keys));
        let chosen = Log::signed_manifest(env, dir, vault, auth)?;
        let Some(chosen) = chosen else { return Ok(()) };
        for name in ["manifest.a", "manifest.b"] {
            self.shelf.keep(name)?;
        }
        let name =
            if chosen.copy.other() == crate::log::Copy::A { "manifest.a" } else { "manifest.b" };
        let rule = ErrorKind::Damaged { file: name.to_owned(), offset: 0, rule: "MAN-2" };
        self.note_copy(name.to_owned(), &rule);
        Log::settle_manifest(&self.place.env, &self.place.dir, &chosen).map_err(Error::from)
    }

    fn note_copy(&mut self, file: String, kind: &ErrorKind) {
        let rule = if let ErrorKind::Damaged { rule, .. } = kind { rule } else { "TWIN-2" };
        let source = Some("the copy that the key proves");
        let finding = Finding { file, offset: 0, rule, source, heals_at_open: false };
        self.report.done.push(healed(&finding));
        self.report.found.push(finding);
    }

    /// Begins the log anew from the furthest proven point. `false`: that loses something, and it was
    /// not accepted.
    fn mend_log(
        &mut self,
        keystore: &Keystore,
        keys: &Keyring,
        looked: &CheckReport,
        accept_loss: bool,
    ) -> Result<bool> {
        let remains = self.remains(keys)?;
        if remains.last_known().is_some_and(|end| end.keystore_generation > keystore.generation()) {
            // The keys of the newest rows are not here: an older keystore was put back.
            return Err(damaged("keystore", "TWIN-7"));
        }
        let picture = Picture::of(&self.place);
        let state = picture.as_ref().map(Picture::store);
        let found = match salvage(&remains, state, keys)? {
            Some(found) if looked.findings.iter().any(|finding| !finding.heals_at_open) => found,
            // Rows that authenticate and do not open: no copy of them is better.
            _ => return Err(first_of(looked)),
        };
        self.report.loss.clone_from(&found.loss);
        if found.loss.is_some() && !accept_loss {
            self.report.outcome = RepairOutcome::WouldLose;
            self.report.found.extend(looked.findings.iter().cloned());
            self.report.kept = self.shelf.place().map(ToOwned::to_owned);
            return Ok(false);
        }
        self.keep_all(looked, found.loss.is_some())?;
        let end = new_end(&found, &remains, state, keys)?;
        let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(&found.rows, visit);
        remains.replace(end, &mut rows)?;
        self.report.done.push(format!("began the log anew from {}", found.source));
        Ok(true)
    }

    fn remains(&self, keys: &Keyring) -> Result<Remains> {
        let VaultDir { env, dir, options, .. } = &self.place;
        let (auth, options) = (LogKeys::of(keys), options.tuning.log_options());
        Log::remains(env, dir, keys.vault_id().0, auth, options).map_err(Error::from)
    }

    /// Keeps what is damaged; where something is lost, all that it might still be found in.
    fn keep_all(&mut self, looked: &CheckReport, is_loss: bool) -> Result<()> {
        for finding in &looked.findings {
            self.shelf.keep(&finding.file)?;
        }
        self.shelf.keep("manifest.a")?;
        self.shelf.keep("manifest.b")?;
        if is_loss {
            self.shelf.keep_log()?;
            self.shelf.keep("keystore.a")?;
            self.shelf.keep("keystore.b")?;
            self.shelf.keep("state")?;
        }
        Ok(())
    }

    /// Opening heals twins, torn ends and the state; closing makes it all durable.
    fn open_and_close(self, unlocked: Unlocked, unlock: &Unlock) -> Result<RepairReport> {
        let Self { place, mut shelf, mut report } = self;
        let (dir, options) = (place.dir.clone(), place.options.clone());
        let vault = finish(place, unlocked)?;
        vault.close()?;
        drop(vault);
        shelf.take_in()?;
        let after = check(&VaultDir::lock(&dir, &options)?, unlock, true)?;
        if !after.damage.is_empty() {
            return Err(first_of(&after));
        }
        report.outcome = RepairOutcome::Repaired;
        report.kept = shelf.place().map(ToOwned::to_owned);
        Ok(report)
    }
}

/// What is left of a damaged log, with a state that may lag, where it provably leads to the very end.
pub(crate) fn lossless(
    place: &VaultDir,
    keys: &Keyring,
    state: Option<&dyn Store>,
) -> Result<Option<(Remains, Salvage)>> {
    let VaultDir { env, dir, options, .. } = place;
    let (auth, options) = (LogKeys::of(keys), options.tuning.log_options());
    let remains = Log::remains(env, dir, keys.vault_id().0, auth, options)?;
    let known = remains.last_known().map_or(0, |end| end.keystore_generation);
    if remains.proven_end().is_none() || known > keys.generation() {
        return Ok(None);
    }
    let found = salvage(&remains, state, keys)?;
    Ok(found.filter(|found| found.loss.is_none()).map(|found| (remains, found)))
}

/// Begins a damaged log anew where nothing is lost by it: what an open may do unasked. `false`:
/// nothing was changed.
pub(crate) fn rebuild_log(place: &VaultDir, keys: &Keyring, damaged: &str) -> Result<bool> {
    let picture = Picture::of(place);
    let state = picture.as_ref().map(Picture::store);
    let Some((remains, found)) = lossless(place, keys, state)? else { return Ok(false) };
    let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(&found.rows, visit);
    remains.replace(found.end, &mut rows)?;
    remains.move_aside(damaged)?;
    Ok(true)
}

/// Where the new log begins. After a loss at an operation number that nothing ever had: what was
/// lost may turn up again, in a state or a backup, and must not be taken for what comes next.
fn new_end(
    found: &Salvage,
    remains: &Remains,
    state: Option<&dyn Store>,
    keys: &Keyring,
) -> Result<End> {
    if found.loss.is_none() {
        return Ok(found.end.clone());
    }
    let known = remains.last_known().map_or(found.end.lsn, |end| end.lsn);
    let applied = state.and_then(|state| state.applied().ok()).unwrap_or_default();
    let lsn = found.end.lsn.max(known).max(applied).next();
    let sum = sum_rows(&found.rows, keys).map_err(RowError::from)?;
    Ok(End { lsn, digest: sum.digest(keys.digest_key(), lsn), ..found.end.clone() })
}

fn healed(finding: &Finding) -> String {
    format!("healed from {}. {finding}", finding.source.unwrap_or("what is left"))
}

fn first_of(report: &CheckReport) -> Error {
    match report.findings.iter().find(|finding| !finding.heals_at_open) {
        Some(Finding { file, offset, rule, .. }) => {
            ErrorKind::Damaged { file: file.clone(), offset: *offset, rule }.into()
        }
        None => damaged("log", "ROW-4"),
    }
}

fn damaged(file: &str, rule: &'static str) -> Error {
    ErrorKind::Damaged { file: file.to_owned(), offset: 0, rule }.into()
}
