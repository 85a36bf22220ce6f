//! `check` of a vault that is open, while readers and writers go on.
//!
//! Maintenance is held off, so that no file of the log goes away. The log is read as it is on the disk. What
//! a writer changes meanwhile looks like an unfinished write: then the log is read again, at last between two
//! batches. The state is compared row by row. Rows that differ may be newer than what was read: they are
//! fetched between two batches, and compared with the log up to there.

use super::check::{as_check, note_accepted, note_copies, note_error, open_rows};
use super::report::{CheckReport, Finding};
use crate::crypto::Keyring;
use crate::env::threads::sync::Arc;
use crate::error::Result;
use crate::log::{Frame, Log, LogError, Recovered, RowFormat};
use crate::model::{ChangeSet, Lsn, Tree};
use crate::store::{OrderedStore, Store};
use crate::vault::error::RowError;
use crate::vault::handle::Vault;
use crate::vault::inner::Inner;
use crate::vault::log_keys::LogKeys;
use crate::vault::options::{OnProgress, StoreChoice, Tuning};
use crate::vault::runtime::shared::Shared;
use crate::vault::state::compare::equals;
use crate::vault::state::opener::StateOpener;
use crate::vault::state::translate::to_newest;
use std::collections::BTreeSet;

/// How often the log is read while writers go on, before they have to wait for it.
const TRIES: usize = 3;
/// Rows that may differ because of writes during the check. More are a wrong state.
const DIFFERING_MAX: usize = 65_536;

/// The log as it is on the disk.
struct Look {
    recovered: Recovered,
    /// Damaged copies of the manifest.
    faults: Vec<(String, &'static str)>,
}

/// The key of a row.
type RowKey = (Tree, Box<[u8]>);

impl Vault {
    /// Checks the open vault and changes nothing. `deep`: also opens every value, and compares every chunk of
    /// the state.
    pub(crate) fn check(
        &self,
        deep: bool,
        on_progress: Option<&OnProgress>,
    ) -> Result<CheckReport> {
        self.inner.named(self.try_check(deep, on_progress))
    }

    fn try_check(&self, deep: bool, on_progress: Option<&OnProgress>) -> Result<CheckReport> {
        let (inner, maintainer) = (&self.inner, &self.running.maintainer);
        let mut report = CheckReport::default();
        report.notes.extend(self.anchor_note());
        let pass = maintainer.lock_pass();
        inner.shared.fail_if_stopping()?;
        note_copies(&mut report, maintainer.lock_keystore().twin.faults()?, "the other copy");
        // The keys of these rows. An epoch switch that waits for the pass erases some of them.
        let keys = inner.shared.keys();
        let rows = read(inner, &keys, deep, on_progress, &mut report)?;
        drop(pass);
        if let Some(rows) = rows {
            note_accepted(&mut report, &rows, &keys);
            open_rows(&rows, &keys, deep, on_progress, &mut report);
        }
        Ok(report)
    }
}

/// Reads the log and compares the state with it. `None`: the log is damaged.
fn read(
    inner: &Inner,
    keys: &Keyring,
    deep: bool,
    on_progress: Option<&OnProgress>,
    report: &mut CheckReport,
) -> Result<Option<OrderedStore>> {
    let shared = &inner.shared;
    let published = inner.driver.control(|pipeline| pipeline.lsn)?;
    let Look { recovered, faults } = match steady_look(inner)? {
        Ok(look) => look,
        Err(LogError::Damaged(damage)) => {
            note_damage(inner, (damage.file, damage.offset, damage.rule), report)?;
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    report.lsn = recovered.end().lsn.0;
    note_copies(report, faults, "the other copy");
    report.warnings.extend(recovered.repair_notes());
    if recovered.end().lsn < published {
        note_damage(inner, ("log".to_owned(), 0, "I6"), report)?;
        return Ok(None);
    }
    let tuning = Tuning { store: StoreChoice::Memory, kept_state: None, ..shared.tuning.clone() };
    let progress = on_progress.cloned().map(as_check);
    let (env, dir) = (&shared.env, shared.dir.as_path());
    let opener = StateOpener { env, dir, tuning: &tuning, keys, progress: progress.as_ref() };
    let rows = match opener.read(&recovered) {
        Ok(rows) => rows,
        Err(error) => {
            let source = is_state_whole(inner)?.then_some("the state");
            note_error(report, &error, source, false);
            return Ok(None);
        }
    };
    if deep && let Err(error) = recovered.check_older() {
        // The newer snapshot is whole, so the older one is no longer needed.
        report.warnings.push(format!("the snapshot before the current one: {error}"));
    }
    if recovered.row_format() < RowFormat::NEWEST {
        // Nothing is written to it, and the state was made of these very rows.
        let newest = to_newest(&rows, keys, shared.env.entropy.as_ref())?;
        return Ok(Some(newest.0));
    }
    compare_state(inner, &rows, recovered.end().lsn, deep, report)?;
    Ok(Some(rows))
}

fn look(shared: &Shared) -> std::result::Result<Look, LogError> {
    let (auth, options) = (LogKeys::of(&shared.keys()), shared.tuning.log_options());
    let recovered = Log::open(&shared.env, &shared.dir, shared.id.0, auth, options)?;
    let faults = recovered.manifest_faults()?;
    Ok(Look { recovered, faults })
}

/// The log, read where no write was in the way.
fn steady_look(inner: &Inner) -> Result<std::result::Result<Look, LogError>> {
    for _ in 0..TRIES {
        if let Ok(look) = look(&inner.shared)
            && look.faults.is_empty()
            && look.recovered.repair_notes().is_empty()
        {
            return Ok(Ok(look));
        }
    }
    let shared = Arc::clone(&inner.shared);
    inner.driver.control(move |_| look(&shared))
}

/// Whether the state holds all that was ever acknowledged.
fn is_state_whole(inner: &Inner) -> Result<bool> {
    let shared = Arc::clone(&inner.shared);
    inner.driver.control(move |pipeline| {
        let end = pipeline.log.end().clone();
        shared.state().is_ok_and(|state| equals(state.store(), &shared.keys(), &end))
    })
}

fn note_damage(
    inner: &Inner,
    (file, offset, rule): (String, u64, &'static str),
    report: &mut CheckReport,
) -> Result<()> {
    let source = is_state_whole(inner)?.then_some("the state");
    report.note(Finding { file, offset, rule, source, is_repaired_at_open: source.is_some() });
    Ok(())
}

/// Compares the state with the log, whose rows up to `lsn` are given.
fn compare_state(
    inner: &Inner,
    rows: &OrderedStore,
    lsn: Lsn,
    deep: bool,
    report: &mut CheckReport,
) -> Result<()> {
    let differing = match inner.shared.state() {
        Ok(state) => differing(state.store(), rows, deep),
        Err(_) => None,
    };
    let Some(differing) = differing else {
        report
            .warnings
            .push("the state is missing or cannot be read; the next open rebuilds it".to_owned());
        return Ok(());
    };
    let wrong =
        if differing.is_empty() { 0 } else { still_differing(inner, rows, lsn, differing)? };
    if wrong > 0 {
        report.warnings.push(format!(
            "rows of the state differ from the log's; whoever reads one has it rebuilt. rows={wrong}"
        ));
    }
    Ok(())
}

/// The rows that only one of two stores has, or that differ. `None`: the state cannot be read, or is another
/// one altogether.
fn differing(state: &dyn Store, rows: &OrderedStore, deep: bool) -> Option<BTreeSet<RowKey>> {
    let mut found = BTreeSet::new();
    let mut note = |tree: Tree, key: &[u8]| {
        if found.len() <= DIFFERING_MAX {
            found.insert((tree, key.into()));
        }
    };
    // As its digest does, a plain check leaves the chunks out.
    for tree in Tree::ALL.into_iter().filter(|tree| deep || tree.is_digested()) {
        let one_way = |from: &dyn Store, to: &dyn Store, note: &mut dyn FnMut(Tree, &[u8])| {
            from.scan(tree, &mut |key, row| {
                if !to.get(tree, key).is_ok_and(|other| other.as_deref() == Some(row)) {
                    note(tree, key);
                }
            })
        };
        one_way(rows, state, &mut note).ok()?;
        one_way(state, rows, &mut note).ok()?;
    }
    (found.len() <= DIFFERING_MAX).then_some(found)
}

/// How many of these rows differ where both are known at one operation. The rows are brought up to it.
fn still_differing(
    inner: &Inner,
    rows: &OrderedStore,
    from: Lsn,
    differing: BTreeSet<RowKey>,
) -> Result<usize> {
    let shared = Arc::clone(&inner.shared);
    let (lsn, found) = inner.driver.control(move |pipeline| {
        let state = shared.state()?;
        let fetched = differing.into_iter().map(|(tree, key)| {
            let row = state.store().get(tree, &key).map_err(RowError::from)?;
            Ok((tree, key, row))
        });
        Result::Ok((pipeline.lsn, fetched.collect::<Result<Vec<_>>>()?))
    })??;
    let Look { recovered, .. } = steady_look(inner)??;
    recovered.replay(from, &mut |frame: Frame| {
        let sets: Vec<ChangeSet> = frame.sets.into_iter().filter(|set| set.lsn <= lsn).collect();
        rows.apply(&sets).map_err(|_| LogError::Stopped)
    })?;
    let equal = found
        .iter()
        .filter(|(tree, key, row)| rows.get(*tree, key).is_ok_and(|other| other == *row))
        .count();
    Ok(found.len() - equal)
}
