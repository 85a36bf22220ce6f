//! `repair`: repairs what an open repairs, and what an open must not do unasked.
//!
//! 1. If the two copies of the keystore or of the manifest contradict each other, the one that the key
//!    proves wins.
//! 2. The rest is examined as by a deep check.
//! 3. What the next open repairs is copied to the quarantine and left to that open. For other damage the
//!    furthest proven point is built in memory (`salvage`), the originals are copied to the quarantine, and
//!    the log is begun anew from there. A loss is reported, and the log is changed only if the loss was
//!    accepted.
//! 4. The vault is opened and closed, which repairs the rest, and examined again.
//!
//! An interruption at any point leaves the old log or the new one, each as whole as it was: nothing of the
//! old log is touched until the new manifest is durable.

use super::check::examine;
use super::quarantine::Quarantine;
use super::report::{CheckReport, Finding, RepairOutcome, RepairReport};
use crate::crypto::{Keyring, Keystore, Unlock};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{End, GoodCopy, Log, RowVisitor, SalvageSource};
use crate::store::Store;
use crate::vault::anchor::Anchor;
use crate::vault::directory::{VaultDir, keystore_twin};
use crate::vault::error::RowError;
use crate::vault::lifecycle::open::{Unlocked, finish};
use crate::vault::log_keys::LogKeys;
use crate::vault::options::unlock_keystore;
use crate::vault::salvage::build::{Salvage, salvage};
use crate::vault::salvage::state_copy::StateCopy;
use crate::vault::state::compare::visit_rows;
use crate::vault::state::sums::sum_rows;

/// A repair that is running.
struct Repair {
    place: VaultDir,
    quarantine: Quarantine,
    report: RepairReport,
}

impl VaultDir {
    /// Repairs what an open repairs, and what an open must not do unasked. The damaged originals are kept
    /// in a folder of the vault. A repair that would lose something is only reported, unless `accept_loss`:
    /// then the longest part that is proven right is kept.
    pub fn repair(mut self, unlock: &Unlock, accept_loss: bool) -> Result<RepairReport> {
        self.check_writable()?;
        // Only what is asked for happens: no pass of maintenance besides.
        self.options.tuning.background = false;
        // Whoever accepts a loss accepts that the vault goes back.
        self.options.accept_rollback |= accept_loss;
        let quarantine = Quarantine::new(&self.env, &self.dir);
        let report = RepairReport::default();
        let dir = self.dir.clone();
        let repair = Repair { place: self, quarantine, report };
        repair.run(unlock, accept_loss).map_err(|error| error.in_vault(&dir))
    }
}

impl Repair {
    fn run(mut self, unlock: &Unlock, accept_loss: bool) -> Result<RepairReport> {
        self.settle_keystore(unlock)?;
        let (twin, content, keystore) = self.place.keystore()?;
        let keys = unlock_keystore(&self.place.options.tuning, &keystore, unlock)?;
        let mut found = CheckReport::default();
        for (file, rule) in twin.faults()? {
            let source = Some("the other copy");
            found.findings.push(Finding {
                file,
                offset: 0,
                rule,
                source,
                is_repaired_at_open: true,
            });
        }
        self.settle_manifest(&keys)?;
        examine(&self.place, &keystore, &keys, true, &mut found)?;
        let open_work = found.open_work();
        if !found.damage.is_empty() && !self.replace_log(&keystore, &keys, &found, accept_loss)? {
            return Ok(self.report);
        }
        for finding in found.findings.iter().filter(|finding| finding.is_repaired_at_open) {
            self.quarantine.keep(&finding.file)?;
            self.report.done.push(done_line(finding));
        }
        self.report.found.extend(found.findings);
        if self.report.found.is_empty() && open_work.is_empty() {
            return Ok(self.report);
        }
        let left_to_open = open_work.iter().map(|what| format!("opened the vault, because {what}"));
        self.report.done.extend(left_to_open);
        self.open_and_close(Unlocked { twin, content, keystore, keys }, unlock)
    }

    /// Two copies of the keystore that contradict each other: the newest that this key opens counts.
    fn settle_keystore(&mut self, unlock: &Unlock) -> Result<()> {
        let refused = match self.place.keystore() {
            Err(error) if matches!(error.kind(), ErrorKind::Damaged { .. }) => error,
            _ => return Ok(()),
        };
        let twin = keystore_twin(&self.place.env.fs, &self.place.dir);
        let copies = twin.copies()?;
        let Some(chosen) = self.newest_that_opens(&copies, unlock)? else { return Err(refused) };
        for name in twin.names() {
            self.quarantine.keep(&name)?;
        }
        self.note_copy(twin.name_of(chosen.slot.other()), refused.kind());
        twin.settle_on(chosen).map_err(Error::from)
    }

    /// The newest copy of the keystore that this key opens. Fails if a copy cannot be tried for want of
    /// memory and no other opens.
    fn newest_that_opens<'c>(
        &self,
        copies: &'c [GoodCopy],
        unlock: &Unlock,
    ) -> Result<Option<&'c GoodCopy>> {
        let (mut chosen, mut untried): (Option<&GoodCopy>, _) = (None, None);
        for copy in copies {
            let Ok(keystore) = Keystore::decode(&copy.body) else { continue };
            if keystore.generation() != copy.generation {
                continue;
            }
            match unlock_keystore(&self.place.options.tuning, &keystore, unlock) {
                Ok(_) if chosen.is_none_or(|best| best.generation <= copy.generation) => {
                    chosen = Some(copy);
                }
                Err(error) if matches!(error.kind(), ErrorKind::TooLittleMemory { .. }) => {
                    untried = Some(error);
                }
                _ => {}
            }
        }
        match (chosen, untried) {
            (None, Some(error)) => Err(error),
            (chosen, _) => Ok(chosen),
        }
    }

    /// The same for the manifest.
    fn settle_manifest(&mut self, keys: &Keyring) -> Result<()> {
        let VaultDir { env, dir, .. } = &self.place;
        let (vault, auth) = (keys.vault_id().0, LogKeys::of(keys));
        let chosen = Log::signed_manifest(env, dir, vault, auth)?;
        let Some(chosen) = chosen else { return Ok(()) };
        for name in ["manifest.a", "manifest.b"] {
            self.quarantine.keep(name)?;
        }
        let name =
            if chosen.slot.other() == crate::log::Slot::A { "manifest.a" } else { "manifest.b" };
        let rule = ErrorKind::Damaged { file: name.to_owned(), offset: 0, rule: "MAN-2" };
        self.note_copy(name.to_owned(), &rule);
        Log::settle_manifest(&self.place.env, &self.place.dir, &chosen).map_err(Error::from)
    }

    fn note_copy(&mut self, file: String, kind: &ErrorKind) {
        let rule = if let ErrorKind::Damaged { rule, .. } = kind { rule } else { "TWIN-2" };
        let source = Some("the copy that the key proves");
        let finding = Finding { file, offset: 0, rule, source, is_repaired_at_open: false };
        self.report.done.push(done_line(&finding));
        self.report.found.push(finding);
    }

    /// Begins the log anew from the furthest proven point. `false`: that would lose something, and the loss
    /// was not accepted.
    fn replace_log(
        &mut self,
        keystore: &Keystore,
        keys: &Keyring,
        checked: &CheckReport,
        accept_loss: bool,
    ) -> Result<bool> {
        let salvage_source = self.salvage_source(keys)?;
        if salvage_source
            .last_known()
            .is_some_and(|end| end.keystore_generation > keystore.generation())
        {
            // An older keystore was put back, so the keys of the newest rows are missing.
            return Err(damaged("keystore", "TWIN-7"));
        }
        let copy = StateCopy::of(&self.place)?;
        let state = copy.as_ref().map(StateCopy::store);
        let found = match salvage(&salvage_source, state, keys)? {
            Some(found) if checked.findings.iter().any(|finding| !finding.is_repaired_at_open) => {
                found
            }
            // The rows authenticate but do not open. There is no better copy of them.
            _ => return Err(first_of(checked)),
        };
        self.report.loss.clone_from(&found.loss);
        if found.loss.is_some() && !accept_loss {
            self.report.outcome = RepairOutcome::WouldLose;
            self.report.found.extend(checked.findings.iter().cloned());
            self.report.kept = self.quarantine.place().map(ToOwned::to_owned);
            return Ok(false);
        }
        let VaultDir { env, dir, options, .. } = &self.place;
        if let Some(anchor) = Anchor::find(env, dir, options, keys)? {
            // Before anything is changed (RB-1). Who accepts a loss accepts a rollback.
            anchor.judge_end(&found.end)?;
        }
        self.keep_all(checked, found.loss.is_some())?;
        let end = new_end(&found, &salvage_source, state, keys)?;
        let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(&found.rows, visit);
        salvage_source.replace(end, found.format, &mut rows)?;
        self.report.done.push(format!("began the log anew from {}", found.source));
        Ok(true)
    }

    fn salvage_source(&self, keys: &Keyring) -> Result<SalvageSource> {
        let VaultDir { env, dir, options, .. } = &self.place;
        let (auth, options) = (LogKeys::of(keys), options.tuning.log_options());
        Log::salvage_source(env, dir, keys.vault_id().0, auth, options).map_err(Error::from)
    }

    /// Keeps everything damaged. If something is lost, also keeps everything that it might still be found in.
    fn keep_all(&mut self, checked: &CheckReport, is_loss: bool) -> Result<()> {
        for finding in &checked.findings {
            self.quarantine.keep(&finding.file)?;
        }
        self.quarantine.keep("manifest.a")?;
        self.quarantine.keep("manifest.b")?;
        if is_loss {
            self.quarantine.keep_log()?;
            self.quarantine.keep("keystore.a")?;
            self.quarantine.keep("keystore.b")?;
            self.quarantine.keep("state")?;
        }
        Ok(())
    }

    /// An open repairs twins, torn ends and the state. The close makes all of it durable.
    fn open_and_close(self, unlocked: Unlocked, unlock: &Unlock) -> Result<RepairReport> {
        let Self { place, mut quarantine, mut report } = self;
        let (dir, options) = (place.dir.clone(), place.options.clone());
        let vault = finish(place, unlocked)?;
        vault.close()?;
        drop(vault);
        quarantine.take_in()?;
        let after = VaultDir::lock(&dir, &options)?.check(unlock, true)?;
        if !after.damage.is_empty() {
            return Err(first_of(&after));
        }
        report.outcome = RepairOutcome::Repaired;
        report.kept = quarantine.place().map(ToOwned::to_owned);
        Ok(report)
    }
}

/// Where the new log begins. After a loss it begins at an operation number that was never used. What was
/// lost may turn up again in a state or a backup, and must not be taken for later operations.
fn new_end(
    found: &Salvage,
    salvage_source: &SalvageSource,
    state: Option<&dyn Store>,
    keys: &Keyring,
) -> Result<End> {
    if found.loss.is_none() {
        return Ok(found.end.clone());
    }
    let known = salvage_source.last_known().map_or(found.end.lsn, |end| end.lsn);
    let reaches = state.and_then(|state| state.span().ok()).unwrap_or_default().reaches;
    let lsn = found.end.lsn.max(known).max(reaches).next();
    let sum = sum_rows(&found.rows, keys).map_err(RowError::from)?;
    Ok(End { lsn, digest: sum.digest(keys.digest_key(), lsn), ..found.end.clone() })
}

fn done_line(finding: &Finding) -> String {
    format!("repaired from {}. {finding}", finding.source.unwrap_or("what is left"))
}

fn first_of(report: &CheckReport) -> Error {
    match report.findings.iter().find(|finding| !finding.is_repaired_at_open) {
        Some(Finding { file, offset, rule, .. }) => {
            ErrorKind::Damaged { file: file.clone(), offset: *offset, rule }.into()
        }
        None => damaged("log", "ROW-4"),
    }
}

fn damaged(file: &str, rule: &'static str) -> Error {
    ErrorKind::Damaged { file: file.to_owned(), offset: 0, rule }.into()
}
