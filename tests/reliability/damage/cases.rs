//! All single damages to the files of a vault, by number.

use super::subject::{Subject, files};
use std::fmt;
use std::path::{Path, PathBuf};
use strongroom_fuzz_bodies::env::sim::SimFs;

/// What is done to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Flip {
        byte: usize,
        bit: u8,
    },
    Cut {
        len: usize,
    },
    Deleted,
    Zeroed,
    ExtendedByZeros {
        by: usize,
    },
    ExtendedByGarbage {
        by: usize,
    },
    /// As it was when the vault was closed earlier.
    Older {
        closed: usize,
    },
    /// Another vault's file of that name, or of that sort.
    OfAnotherVault,
}

impl Kind {
    /// For counting.
    pub fn word(self) -> &'static str {
        match self {
            Self::Flip { .. } => "flipped",
            Self::Cut { .. } => "cut",
            Self::Deleted => "deleted",
            Self::Zeroed => "zeroed",
            Self::ExtendedByZeros { .. } | Self::ExtendedByGarbage { .. } => "extended",
            Self::Older { .. } => "older",
            Self::OfAnotherVault => "other vault's",
        }
    }
}

/// One damage.
pub struct Case {
    pub number: u64,
    pub path: PathBuf,
    pub class: &'static str,
    pub kind: Kind,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "case {} (STRONGROOM_SEEDS={}..{}): {} {:?}",
            self.number,
            self.number,
            self.number + 1,
            self.path.display(),
            self.kind
        )
    }
}

const EXTENSIONS: [usize; 3] = [1, 512, 4096];

/// One file and how many cases it has before and with it.
struct Entry {
    path: PathBuf,
    bytes: Vec<u8>,
    class: &'static str,
    /// Cumulated flips before each byte.
    flips: Vec<u64>,
    first: u64,
    count: u64,
    whole: Vec<Kind>,
}

/// The list of all cases, numbered from 1.
pub struct Cases {
    entries: Vec<Entry>,
    pub total: u64,
    pub bytes: usize,
    older: Vec<Files>,
    other: Files,
}

/// Paths with contents.
pub type Files = Vec<(PathBuf, Vec<u8>)>;

/// Where a path stands among the sorts of files.
pub fn class(path: &Path) -> &'static str {
    let name = path.file_name().unwrap().to_str().unwrap();
    if path.components().any(|part| part.as_os_str() == "state") {
        return "state";
    }
    match name.split('.').next_back() {
        _ if name.starts_with("keystore") => "keystore",
        _ if name.starts_with("manifest") => "manifest",
        Some("wal") => "segment",
        Some("snap") => "snapshot",
        _ if name == "reserve" => "reserve",
        _ if name == "LOCK" => "LOCK",
        _ => "other",
    }
}

impl Cases {
    pub fn of(subject: &Subject) -> Self {
        let older = subject.older.iter().map(|moment| files(&moment.disk)).collect();
        Self::new(files(&subject.now.disk), older, files(&subject.other.disk))
    }

    /// All cases of the files `now`; what was earlier, and another vault's.
    pub fn new(now: Files, older: Vec<Files>, other: Files) -> Self {
        let (mut entries, mut first, mut total_bytes) = (Vec::new(), 1, 0);
        for (path, bytes) in now {
            let mut flips = Vec::with_capacity(bytes.len());
            let mut sum = 0;
            for byte in &bytes {
                flips.push(sum);
                sum += if *byte == 0 { 1 } else { 8 };
            }
            let mut whole = vec![Kind::Deleted, Kind::Zeroed];
            whole.extend(EXTENSIONS.map(|by| Kind::ExtendedByZeros { by }));
            whole.extend(EXTENSIONS.map(|by| Kind::ExtendedByGarbage { by }));
            for (closed, files) in older.iter().enumerate() {
                if files.iter().any(|(old, content)| *old == path && *content != bytes) {
                    whole.push(Kind::Older { closed });
                }
            }
            whole.push(Kind::OfAnotherVault);
            let count = sum + bytes.len() as u64 + whole.len() as u64;
            total_bytes += bytes.len();
            entries.push(Entry { class: class(&path), path, bytes, flips, first, count, whole });
            first += count;
        }
        Self { entries, total: first - 1, bytes: total_bytes, older, other }
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.entries.len()
    }

    /// The numbers of the cases of one file.
    pub fn of_file(&self, at: usize) -> std::ops::Range<u64> {
        let entry = &self.entries[at % self.entries.len()];
        entry.first..entry.first + entry.count
    }

    /// Case `number`, from 1.
    pub fn get(&self, number: u64) -> Case {
        let entry = self.entry(number);
        let mut at = number - entry.first;
        let flips = entry.count - entry.bytes.len() as u64 - entry.whole.len() as u64;
        let kind = if at < flips {
            let byte = entry.flips.partition_point(|before| *before <= at) - 1;
            let nth = at - entry.flips[byte];
            // One bit of a zero byte, another one at each place.
            let bit = if entry.bytes[byte] == 0 { byte as u64 % 8 } else { nth };
            Kind::Flip { byte, bit: u8::try_from(bit).unwrap() }
        } else {
            at -= flips;
            let len = entry.bytes.len();
            if at < len as u64 {
                Kind::Cut { len: usize::try_from(at).unwrap() }
            } else {
                entry.whole[usize::try_from(at - len as u64).unwrap()]
            }
        };
        Case { number, path: entry.path.clone(), class: entry.class, kind }
    }

    fn entry(&self, number: u64) -> &Entry {
        assert!((1..=self.total).contains(&number), "there are {} cases", self.total);
        let at = self.entries.partition_point(|entry| entry.first <= number);
        &self.entries[at - 1]
    }

    /// What the damaged file holds; `None`: it is gone.
    pub fn content(&self, case: &Case) -> Option<Vec<u8>> {
        let mut bytes = self.entry(case.number).bytes.clone();
        match case.kind {
            Kind::Flip { byte, bit } => bytes[byte] ^= 1 << bit,
            Kind::Cut { len } => bytes.truncate(len),
            Kind::Deleted => return None,
            Kind::Zeroed => bytes.fill(0),
            Kind::ExtendedByZeros { by } => bytes.resize(bytes.len() + by, 0),
            Kind::ExtendedByGarbage { by } => {
                let garbage = (0..by).map(|at| (at as u8).wrapping_mul(151).wrapping_add(89));
                bytes.extend(garbage);
            }
            Kind::Older { closed } => {
                let old = self.older[closed].iter().find(|(path, _)| *path == case.path);
                bytes.clone_from(&old.unwrap().1);
            }
            Kind::OfAnotherVault => {
                let same = self.other.iter().find(|(path, _)| *path == case.path);
                let alike = || self.other.iter().find(|(path, _)| class(path) == case.class);
                // Of a sort that the other vault has none of there is nothing to put there.
                if let Some((_, theirs)) = same.or_else(alike) {
                    bytes.clone_from(theirs);
                }
            }
        }
        Some(bytes)
    }

    /// Whether the case leaves the file as it was (zeros over zeros).
    pub fn changes(&self, case: &Case) -> bool {
        self.content(case).as_ref() != Some(&self.entry(case.number).bytes)
    }

    /// Does it to a simulated disk.
    pub fn apply(&self, case: &Case, disk: &SimFs) {
        match self.content(case) {
            None => disk.delete(&case.path).unwrap(),
            Some(bytes) => match case.kind {
                Kind::Flip { byte, .. } => {
                    disk.overwrite(&case.path, byte as u64, &bytes[byte..=byte]).unwrap();
                }
                Kind::Cut { len } => disk.truncate(&case.path, len as u64).unwrap(),
                _ => {
                    disk.truncate(&case.path, 0).unwrap();
                    disk.overwrite(&case.path, 0, &bytes).unwrap();
                }
            },
        }
    }
}
