//! The names of the log's files.
//!
//! ```text
//! log/0000000007.wal    segment 7, or a file kept for re/// The folder of the log inside the vault's.

pub(crate) const FOLDER: &str = "log";

/// The kinds of numbered files in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    Segment,
    Snapshot,
    Preparing,
}

impl FileKind {
    const fn extension(self) -> &'static str {
        match self {
            Self::Segment => "wal",
            Self::Snapshot => "snap",
            Self::Preparing => "prep",
        }
    }

    /// The file's name relative to the vault, as errors give it.
    pub(crate) fn name(self, number: u64) -> String {
        format!("{FOLDER}/{number:010}.{}", self.extension())
    }

    /// FileKind and number of a name in the folder; `None` for anything that we would not write.
    pub(crate) fn parse(name: &str) -> Option<(Self, u64)> {
        let (stem, extension) = name.split_once('.')?;
        let kind = [Self::Segment, Self::Snapshot, Self::Preparing]
            .into_iter()
            .find(|kind| kind.extension() == extension)?;
        let number = stem.parse().ok()?;
        (kind.name(number).strip_prefix("log/")? == name).then_some((kind, number))
    }
}
