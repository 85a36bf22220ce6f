//! `check`: examines a vault with its key and changes nothing.
//!
//! - A plain check reads both copies of each twin and every authenticated byte of the log, recomputes the
//!   log's digest, opens every row, and compares the state by LSN and digest.
//! - A deep check also opens every value with its padding, reads the older snapshot and its segments, and
//!   compares each row of the state with the log.
//!
//! The state is read from a private copy, because sled cannot open without writing.

use super::report::{CheckReport, Finding};
use crate::crypto::{Keyring, Keystore, Unlock};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{End, Log, LogError, Recovered, RowFormat};
use crate::model::Tree;
use crate::store::{OrderedStore, Span, Store};
use crate::vault::anchor::{Anchor, NoteFor};
use crate::vault::directory::VaultDir;
use crate::vault::error::RowError;
use crate::vault::lifecycle::open::refuse_rollback;
use crate::vault::log_keys::LogKeys;
use crate::vault::options::{OnProgress, Progress, StoreChoice, Tuning, unlock_keystore};
use crate::vault::rows;
use crate::vault::salvage::lossless::lossless;
use crate::vault::salvage::state_copy::StateCopy;
use crate::vault::state::compare::equals;
use crate::vault::state::opener::StateOpener;
use crate::vault::state::sums::sum_rows;
use crate::vault::state::translate::to_newest;
use crate::vault::view::access_marks::AccessMarks;
use crate::vault::view::row_view::RowView;
use std::sync::Arc;

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 1_000;

impl VaultDir {
    /// Checks the vault and changes nothing. `deep`: also opens every value and compares every row of the
    /// state.
    pub fn check(&self, unlock: &Unlock, deep: bool) -> Result<CheckReport> {
        self.try_check(unlock, deep).map_err(|error| error.in_vault(&self.dir))
    }

    fn try_check(&self, unlock: &Unlock, deep: bool) -> Result<CheckReport> {
        let (twin, _, keystore) = self.keystore()?;
        let keys = unlock_keystore(&self.options.tuning, &keystore, unlock)?;
        let mut report = CheckReport::default();
        note_copies(&mut report, twin.faults()?, "the other copy");
        examine(self, &keystore, &keys, deep, &mut report)?;
        Ok(report)
    }
}

pub(super) fn note_copies(
    report: &mut CheckReport,
    faults: Vec<(String, &'static str)>,
    from: &'static str,
) {
    for (file, rule) in faults {
        let source = Some(from);
        report.note(Finding { file, offset: 0, rule, source, is_repaired_at_open: true });
    }
}

/// Checks all but the keystore.
pub(crate) fn examine(
    place: &VaultDir,
    keystore: &Keystore,
    keys: &Keyring,
    deep: bool,
    report: &mut CheckReport,
) -> Result<()> {
    let copied = StateCopy::of(place);
    let state = copied.as_ref().ok().and_then(|copy| copy.as_ref().map(StateCopy::store));
    let holds_all = |end: &End| state.is_some_and(|rows| equals(rows, keys, end));
    let find_anchor = || Anchor::find(&place.env, &place.dir, &place.options, keys);
    let options = place.options.tuning.log_options();
    let opened = Log::open(&place.env, &place.dir, keys.vault_id().0, LogKeys::of(keys), options);
    let recovered = match opened {
        Ok(recovered) => recovered,
        Err(LogError::Damaged(damage)) => {
            let (source, end) = if damage.proven_end.as_ref().is_some_and(holds_all) {
                (Some("the state"), damage.proven_end)
            } else if let Some((_, found)) = lossless(place, keys, state)? {
                (Some(found.source), Some(found.end))
            } else {
                (None, damage.proven_end)
            };
            if let (Some(anchor), Some(end)) = (find_anchor()?, &end) {
                // As an open does, before anything is said about a repair (RB-1).
                anchor.judge_end(end)?;
            }
            report.note(Finding {
                file: damage.file,
                offset: damage.offset,
                rule: damage.rule,
                source,
                is_repaired_at_open: source.is_some(),
            });
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if let Err(error) = refuse_rollback(&recovered, keystore) {
        note_error(report, &error, None, false);
        return Ok(());
    }
    report.lsn = recovered.end().lsn.0;
    note_copies(report, recovered.manifest_faults()?, "the other copy");
    report.warnings.extend(recovered.repair_notes());
    let Some(rows) = read_log(place, keys, &recovered, state, report) else { return Ok(()) };
    let anchor = find_anchor()?;
    report.notes.extend(Anchor::note_of(anchor.as_ref(), NoteFor::Check));
    note_accepted(report, &rows, keys);
    if let Some(anchor) = anchor {
        // No damage, and no repair helps: the newer folder does, or the word that accepts it.
        anchor.judge_end(recovered.end())?;
        anchor.judge_rows(&rows, keys, recovered.end())?;
    }
    let newest = newest_of(place, keys, &recovered, &rows)?;
    let shown = newest.as_ref().unwrap_or(&rows);
    open_rows(shown, keys, deep, place.options.progress.as_ref(), report);
    if deep && let Err(error) = recovered.check_older() {
        // The newer snapshot is whole, so the older one is no longer needed.
        report.warnings.push(format!("the snapshot before the current one: {error}"));
    }
    if let Err(error) = &copied {
        report.warnings.push(format!("the state was not looked at: {error}"));
    } else if uses_state(place) {
        compare_state(state, &rows, keys, &recovered, deep, report);
    }
    Ok(())
}

/// The rows of a log of format 1 in the newest one. `None`: they are in it.
fn newest_of(
    place: &VaultDir,
    keys: &Keyring,
    recovered: &Recovered,
    rows: &OrderedStore,
) -> std::result::Result<Option<OrderedStore>, RowError> {
    if recovered.row_format() >= RowFormat::NEWEST {
        return Ok(None);
    }
    to_newest(rows, keys, place.env.entropy.as_ref()).map(|(newest, _)| Some(newest))
}

/// How often a rollback was accepted (RB-7). Rows that do not open are found by [`open_rows`].
pub(super) fn note_accepted(report: &mut CheckReport, rows: &OrderedStore, keys: &Keyring) {
    let accepted = rows::anchors(rows, keys).map_or(0, |row| row.accepted());
    if accepted > 0 {
        report.notes.push(format!(
            "a rollback or a loss was accepted (--accept-rollback, --accept-loss), so this vault may lack \
             operations that were acknowledged. times={accepted}"
        ));
    }
}

fn uses_state(place: &VaultDir) -> bool {
    let tuning = &place.options.tuning;
    (tuning.store != StoreChoice::Memory && place.env.fs.is_real()) || tuning.kept_state.is_some()
}

/// Puts the log's rows together in memory and compares their digest. Nothing on the disk is touched.
fn read_log(
    place: &VaultDir,
    keys: &Keyring,
    recovered: &Recovered,
    state: Option<&dyn Store>,
    report: &mut CheckReport,
) -> Option<OrderedStore> {
    let tuning =
        Tuning { store: StoreChoice::Memory, kept_state: None, ..place.options.tuning.clone() };
    let progress = place.options.progress.clone().map(as_check);
    let mut opener = StateOpener::of(place, &tuning, keys);
    opener.progress = progress.as_ref();
    match opener.read(recovered) {
        Ok(rows) => Some(rows),
        // An open that finds the state whole does not read this, so it does not repair it.
        Err(error) if state.is_some_and(|rows| equals(rows, keys, recovered.end())) => {
            note_error(report, &error, Some("the state"), false);
            None
        }
        // An open without a state reads it, and repairs what can be repaired without a loss.
        Err(error) => {
            let found = lossless(place, keys, state).ok().flatten();
            let source = found.map(|(_, found)| found.source);
            note_error(report, &error, source, source.is_some() && state.is_none());
            None
        }
    }
}

/// Reports the progress of a rebuild as that of a check: both read the log.
pub(super) fn as_check(progress: OnProgress) -> OnProgress {
    Arc::new(move |step| match step {
        Progress::Rebuilding { done, total } => progress(Progress::Checking { done, total }),
        other => progress(other),
    })
}

pub(super) fn note_error(
    report: &mut CheckReport,
    error: &Error,
    source: Option<&'static str>,
    is_repaired_at_open: bool,
) {
    match error.kind() {
        ErrorKind::Damaged { file, offset, rule } => report.note(Finding {
            file: file.clone(),
            offset: *offset,
            rule,
            source,
            is_repaired_at_open,
        }),
        _ => report.damage.push(error.to_string()),
    }
}

/// Opens every row, and if `deep` every value, in the fence.
pub(super) fn open_rows(
    rows: &OrderedStore,
    keys: &Keyring,
    deep: bool,
    progress: Option<&OnProgress>,
    report: &mut CheckReport,
) {
    let marks = AccessMarks::default();
    let store: &dyn Store = rows;
    let view = RowView::new(&store, keys, &marks, None);
    let mut total = 0;
    for tree in Tree::ALL {
        let _ = store.scan(tree, &mut |_, _| total += 1);
    }
    for tree in Tree::ALL {
        let mut bad = 0_u64;
        let scanned = store.scan(tree, &mut |key, row| {
            report.rows += 1;
            if let (0, Some(progress)) = (report.rows % REPORT_ROWS, progress) {
                progress(Progress::Checking { done: report.rows, total });
            }
            let opens = match tree {
                Tree::Versions if deep => {
                    report.values += 1;
                    view.version_opens(key, row)
                }
                Tree::Secrets => view.secret_opens(key, row),
                Tree::Blobs => true,
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

/// Compares the state with the log, by LSN and digest or row by row.
fn compare_state(
    state: Option<&dyn Store>,
    rows: &OrderedStore,
    keys: &Keyring,
    recovered: &Recovered,
    deep: bool,
    report: &mut CheckReport,
) {
    let end = recovered.end();
    let Some(state) = state else {
        report
            .warnings
            .push("the state is missing or cannot be read; the next open rebuilds it".to_owned());
        return;
    };
    let Span { applied, reaches } = state.span().unwrap_or_default();
    if reaches > end.lsn {
        report.note(Finding {
            file: "log".to_owned(),
            offset: 0,
            rule: "I6",
            source: None,
            is_repaired_at_open: false,
        });
        return;
    }
    let same_digest = || {
        sum_rows(state, keys).is_ok_and(|sum| sum.digest(keys.digest_key(), end.lsn) == end.digest)
    };
    if applied < end.lsn {
        // After a clean close it is because the last process only read, and left the state alone.
        if !recovered.clean() {
            report.warnings.push(
                "the state is behind the log, as after a kill; the next open completes it or rebuilds it"
                    .to_owned(),
            );
        }
        return;
    }
    if !same_digest() {
        report
            .warnings
            .push("the state differs from the log; the next open rebuilds it".to_owned());
        return;
    }
    if deep {
        let differing: u64 = Tree::ALL.into_iter().map(|tree| difference(tree, state, rows)).sum();
        if differing > 0 {
            // The digest leaves chunks out. A reader that meets a wrong one has the state rebuilt.
            report.warnings.push(format!(
                "rows of the state differ from the log's; whoever reads one has it rebuilt. rows={differing}"
            ));
        }
    }
}

/// Counts rows of one tree that only one of two stores has, or that differ.
fn difference(tree: Tree, left: &dyn Store, right: &dyn Store) -> u64 {
    let one_way = |from: &dyn Store, to: &dyn Store, count_changed: bool| {
        let mut differing = 0_u64;
        let _ = from.scan(tree, &mut |key, row| {
            differing += u64::from(match to.get(tree, key) {
                Ok(Some(other)) => count_changed && *other != *row,
                _ => true,
            });
        });
        differing
    };
    one_way(left, right, true) + one_way(right, left, false)
}
