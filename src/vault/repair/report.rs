//! What a check and a repair report.

use crate::vault::salvage::loss::Loss;
use std::fmt;
use std::path::PathBuf;

/// Something that is damaged, and what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where, relative to the vault.
    pub file: String,
    /// Byte offset in it.
    pub offset: u64,
    /// The rule of `docs/FORMAT.md` that does not hold.
    pub rule: &'static str,
    /// What it can be repaired from without a loss. `None`: no proven copy of it is left.
    pub source: Option<&'static str>,
    /// Whether the next open repairs it by itself.
    pub is_repaired_at_open: bool,
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
        match (self.source, self.is_repaired_at_open) {
            (Some(source), true) => format!("the next open repairs it from {source}"),
            (Some(source), false) => format!("`strongroom repair` repairs it from {source}"),
            (None, _) => {
                "there is no second copy; `strongroom repair` reports what can be kept".to_owned()
            }
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Operations in the log.
    pub lsn: u64,
    /// Rows in the log.
    pub rows: u64,
    /// Versions whose value was opened. A deep check opens all.
    pub values: u64,
    /// Things that the next open repairs or rebuilds by itself.
    pub warnings: Vec<String>,
    /// What is worth knowing and no damage.
    pub notes: Vec<String>,
    /// Damage that needs a repair: file, offset, rule, and what it can be repaired from.
    pub damage: Vec<String>,
    /// Those of both kinds that are about a file, one by one.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// What the next open does besides repairing the findings.
    pub(crate) fn open_work(&self) -> Vec<String> {
        let found: Vec<String> = self.findings.iter().map(Finding::to_string).collect();
        let is_found = |text: &&String| found.iter().any(|found| text.ends_with(found));
        self.warnings.iter().filter(|text| !is_found(text)).cloned().collect()
    }

    /// Adds a finding, and a line about it for people.
    pub(super) fn note(&mut self, finding: Finding) {
        let list = if finding.is_repaired_at_open { &mut self.warnings } else { &mut self.damage };
        list.push(format!("damaged, {}. {finding}", finding.advice()));
        self.findings.push(finding);
    }
}

/// How a repair ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepairOutcome {
    /// There was nothing to repair, and nothing was changed.
    #[default]
    NothingToDo,
    /// The vault is whole again. [`RepairReport::loss`] says what was lost.
    Repaired,
    /// Something would be lost, so the log was not changed.
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
