//! The names of the log's files.
//!
//! ```text
//! log/0000000007.wal    segment 7, or a file kept for reuse (LOG-2)
//! log/0000000003.snap   snapshot 3
//! log/0000000008.prep   segment 8 while it is being made ready
//! log/*.damaged         set aside by a repair, never read
//! ```

/// The folder of the log inside the vault's.
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

    /// Kind and number of a file name; `None` for a name that the log would not write.
    pub(crate) fn parse(name: &str) -> Option<(Self, u64)> {
        let (stem, extension) = name.split_once('.')?;
        let kind = [Self::Segment, Self::Snapshot, Self::Preparing]
            .into_iter()
            .find(|kind| kind.extension() == extension)?;
        let number = stem.parse().ok()?;
        (kind.name(number).strip_prefix("log/")? == name).then_some((kind, number))
    }
}
