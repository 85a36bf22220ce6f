//! `check`: looks with the vault's key and changes nothing.
//!
//! Plain: both copies of each twin, every authenticated byte of the truth, its digest recomputed,
//! every row opened; the state by LSN and digest. Deep: every value opened, with its padding; the
//! older snapshot and its segments; each row of the state against the truth. The state is read from
//! a private copy, because sled cannot open without writing.

use super::steps::lossless;
use crate::crypto::{Keyring, Keystore, Unlock};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{End, Log, LogError, Recovered};
use crate::model::Tree;
use crate::store::{OrderedStore, Store};
use crate::vault::directory::VaultDir;
use crate::vault::error::keystore_error;
use crate::vault::lifecycle::open::{equals, refuse_rollback};
use crate::vault::log_keys::LogKeys;
use crate::vault::options::{OnProgress, Progress, StoreChoice, Tuning};
use crate::vault::salvage::state_copy::Picture;
use crate::vault::state::opener::{StateOpener, sum_rows};
use std::fmt;
use std::sync::Arc;

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 1_000;

/// Something that is not as it should be, and what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where, relative to the vault.
    pub file: String,
    /// Byte offset in it.
    pub offset: u64,
    /// The rule of `docs/FORMAT.md` that does not hold.
    pub rule: &'static str,
    /// What it can be healed from with nothing lost; `None`: nothing proven right is left of it.
    pub source: Option<&'static str>,
    /// Whether the next open heals it by itself.
    pub heals_at_open: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, rule, .. } = self;
        write!(f, "file={file} offset={offset} rule={rule}")
    }
}

impl Finding {
    /// What can be done about it, for people.
    fn advice(&self) -> String {
        match (self.source, self.heals_at_open) {
            (Some(source), true) => format!("the next open heals it from {source}"),
            (Some(source), false) => format!("`strongroom repair` heals it from {source}"),
            (None, _) => {
                "nothing stands beside it; `strongroom repair` says what can be kept".to_owned()
            }
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Operations in the truth.
    pub lsn: u64,
    /// Rows in the truth.
    pub rows: u64,
    /// Versions whose value was opened: a deep check opens all.
    pub values: u64,
    /// Things that the next open heals or rebuilds by itself.
    pub warnings: Vec<String>,
    /// Damage that needs repair: file, offset, rule, and what it can be healed from.
    pub damage: Vec<String>,
    /// All of these that are about a file, one by one.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// What the next open does besides healing what is found damaged.
    pub(crate) fn open_work(&self) -> Vec<String> {
        let found: Vec<String> = self.findings.iter().map(Finding::to_string).collect();
        let is_found = |text: &&String| found.iter().any(|found| text.ends_with(found));
        self.warnings.iter().filter(|text| !is_found(text)).cloned().collect()
    }

    fn note(&mut self, finding: Finding) {
        let list = if finding.heals_at_open { &mut self.warnings } else { &mut self.damage };
        list.push(format!("damaged, {}. {finding}", finding.advice()));
        self.findings.push(finding);
    }
}

/// Checks the vault of a locked folder.
pub(crate) fn check(place: &VaultDir, unlock: &Unlock, deep: bool) -> Result<CheckReport> {
    let (twin, _, keystore) = place.keystore()?;
    let keys = keystore.unlock(unlock).map_err(keystore_error)?;
    let mut report = CheckReport::default();
    note_copies(&mut report, twin.faults()?, "the other copy");
    examine(place, &keystore, &keys, deep, &mut report)?;
    Ok(report)
}

fn note_copies(report: &mut CheckReport, faults: Vec<(String, &'static str)>, from: &'static str) {
    for (file, rule) in faults {
        let source = Some(from);
        report.note(Finding { file, offset: 0, rule, source, heals_at_open: true });
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
    let state = Picture::of(place);
    let state = state.as_ref().map(Picture::store);
    let holds_all = |end: &End| state.is_some_and(|rows| equals(rows, keys, end));
    let options = place.options.tuning.log_options();
    let opened = Log::open(&place.env, &place.dir, keys.vault_id().0, LogKeys::of(keys), options);
    let truth = match opened {
        Ok(truth) => truth,
        Err(LogError::Damaged(damage)) => {
            let equal = damage.proven_end.as_ref().is_some_and(holds_all);
            let source = if equal {
                Some("the state")
            } else {
                lossless(place, keys, state)?.map(|(_, found)| found.source)
            };
            report.note(Finding {
                file: damage.file,
                offset: damage.offset,
                rule: damage.rule,
                source,
                heals_at_open: source.is_some(),
            });
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if let Err(error) = refuse_rollback(&truth, keystore) {
        note_error(report, &error, None, false);
        return Ok(());
    }
    report.lsn = truth.end().lsn.0;
    note_copies(report, truth.manifest_faults()?, "the other copy");
    report.warnings.extend(truth.repair_notes());
    let Some(rows) = read_truth(place, keys, &truth, state, report) else { return Ok(()) };
    open_rows(place, &rows, keys, deep, report);
    if deep && let Err(error) = truth.check_older() {
        // The newer one is whole, so that the older is not needed any more.
        report.warnings.push(format!("the snapshot before the current one: {error}"));
    }
    if uses_state(place) {
        compare_state(state, &rows, keys, truth.end(), deep, report);
    }
    Ok(())
}

fn uses_state(place: &VaultDir) -> bool {
    let tuning = &place.options.tuning;
    (tuning.store == StoreChoice::Auto && place.env.fs.is_real()) || tuning.kept_state.is_some()
}

/// The truth's rows, put together in memory with their digest compared; nothing on disk is touched.
fn read_truth(
    place: &VaultDir,
    keys: &Keyring,
    truth: &Recovered,
    state: Option<&dyn Store>,
    report: &mut CheckReport,
) -> Option<OrderedStore> {
    let tuning =
        Tuning { store: StoreChoice::Memory, kept_state: None, ..place.options.tuning.clone() };
    let progress = place.options.progress.clone().map(as_check);
    let mut opener = StateOpener::of(place, &tuning, keys);
    opener.progress = progress.as_ref();
    match opener.read(truth) {
        Ok(rows) => Some(rows),
        // Not met by an open that finds the state whole, so it is not healed by one.
        Err(error) if state.is_some_and(|rows| equals(rows, keys, truth.end())) => {
            note_error(report, &error, Some("the state"), false);
            None
        }
        // One that has no state meets it, and heals what can be healed without a loss.
        Err(error) => {
            let found = lossless(place, keys, state).ok().flatten();
            let source = found.map(|(_, found)| found.source);
            note_error(report, &error, source, source.is_some() && state.is_none());
            None
        }
    }
}

/// Reading the truth is what a rebuild does, but not what it is called here.
fn as_check(progress: OnProgress) -> OnProgress {
    Arc::new(move |step| match step {
        Progress::Rebuilding { done, total } => progress(Progress::Checking { done, total }),
        other => progress(other),
    })
}

fn note_error(
    report: &mut CheckReport,
    error: &Error,
    source: Option<&'static str>,
    heals_at_open: bool,
) {
    match error.kind() {
        ErrorKind::Damaged { file, offset, rule } => report.note(Finding {
            file: file.clone(),
            offset: *offset,
            rule,
            source,
            heals_at_open,
        }),
        _ => report.damage.push(error.to_string()),
    }
}

/// Opens every row, and if `deep` every value, in the fence.
fn open_rows(
    place: &VaultDir,
    rows: &OrderedStore,
    keys: &Keyring,
    deep: bool,
    report: &mut CheckReport,
) {
    let marks = crate::vault::view::access_marks::Marks::default();
    let store: &dyn Store = rows;
    let view = crate::vault::view::row_view::RowView::new(&store, keys, &marks, None);
    let mut total = 0;
    for tree in Tree::ALL {
        let _ = store.scan(tree, &mut |_, _| total += 1);
    }
    for tree in Tree::ALL {
        let mut bad = 0_u64;
        let scanned = store.scan(tree, &mut |key, row| {
            report.rows += 1;
            if let (0, Some(progress)) = (report.rows % REPORT_ROWS, &place.options.progress) {
                progress(Progress::Checking { done: report.rows, total });
            }
            let opens = match tree {
                Tree::Versions if deep => {
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

/// The state against the truth: by LSN and digest, or row by row.
fn compare_state(
    state: Option<&dyn Store>,
    rows: &OrderedStore,
    keys: &Keyring,
    end: &End,
    deep: bool,
    report: &mut CheckReport,
) {
    let Some(state) = state else {
        report
            .warnings
            .push("the state is missing or cannot be read; the next open rebuilds it".to_owned());
        return;
    };
    let applied = state.applied().unwrap_or_default();
    if applied > end.lsn {
        report.note(Finding {
            file: "log".to_owned(),
            offset: 0,
            rule: "I6",
            source: None,
            heals_at_open: false,
        });
        return;
    }
    let same_digest = || {
        sum_rows(state, keys).is_ok_and(|sum| sum.digest(keys.digest_key(), end.lsn) == end.digest)
    };
    if applied < end.lsn || !same_digest() {
        report.warnings.push(
            "the state differs from the log or was not closed; the next open rebuilds or completes it"
                .to_owned(),
        );
        return;
    }
    if deep {
        let differing: u64 = Tree::ALL.into_iter().map(|tree| difference(tree, state, rows)).sum();
        if differing > 0 {
            // The digest leaves chunks out: a reader that meets one has the state rebuilt.
            report.warnings.push(format!(
                "rows of the state differ from the log's; whoever reads one has it rebuilt. rows={differing}"
            ));
        }
    }
}

/// Rows of one tree that one of two stores has and the other has not, or has otherwise.
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
