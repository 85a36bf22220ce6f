//! Searches many bytes for many canaries: raw, in base64 at each of the three alignments, and in hex.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The length of the shortest pattern.
const HEAD: usize = 8;

pub struct Needles {
    /// First eight bytes of a pattern -> the patterns with this start, each with its canary's number.
    heads: HashMap<u64, Vec<(Vec<u8>, usize)>>,
    /// One bit per hash of the first four bytes. It rules out most positions.
    filter: Vec<u64>,
    pub count: usize,
}

fn slot(bytes: &[u8]) -> usize {
    let head = u32::from_le_bytes(bytes[..4].try_into().unwrap());
    (head.wrapping_mul(0x9E37_79B1) >> 10) as usize
}

impl Needles {
    pub fn new<T: AsRef<[u8]>>(canaries: &[T]) -> Self {
        let mut needles =
            Self { heads: HashMap::new(), filter: vec![0; (1 << 22) / 64], count: canaries.len() };
        for (number, canary) in canaries.iter().enumerate() {
            for form in forms(canary.as_ref()) {
                assert!(form.len() >= HEAD, "a canary of that length could be there by chance");
                let at = slot(&form);
                needles.filter[at / 64] |= 1 << (at % 64);
                let head = u64::from_le_bytes(form[..HEAD].try_into().unwrap());
                needles.heads.entry(head).or_default().push((form, number));
            }
        }
        needles
    }

    /// The numbers of the canaries that are in `bytes` in any form.
    pub fn find(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for (at, window) in bytes.windows(HEAD).enumerate() {
            let bit = slot(window);
            if self.filter[bit / 64] & (1 << (bit % 64)) == 0 {
                continue;
            }
            let head = u64::from_le_bytes(window.try_into().unwrap());
            for (form, number) in self.heads.get(&head).into_iter().flatten() {
                if bytes[at..].starts_with(form) {
                    found.insert(*number);
                }
            }
        }
        found
    }

    /// All findings with their files below `dir`, and the number of bytes searched.
    pub fn find_in_dir(&self, dir: &Path) -> (BTreeMap<PathBuf, BTreeSet<usize>>, u64) {
        let (mut hits, mut total) = (BTreeMap::new(), 0);
        for path in files_below(dir) {
            // A file may vanish while an open vault is searched.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            total += bytes.len() as u64;
            let mut found = self.find(&bytes);
            found.extend(self.find(path.to_string_lossy().as_bytes()));
            if !found.is_empty() {
                hits.insert(path, found);
            }
        }
        (hits, total)
    }
}

/// All searched encodings of `bytes`.
pub fn forms(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::from([
        bytes.to_vec(),
        hex::encode(bytes).into_bytes(),
        hex::encode_upper(bytes).into_bytes(),
    ]);
    for shift in 0..3_usize {
        // The first and last characters also depend on neighboring bytes, so they are left out.
        let mut padded = vec![0; shift];
        padded.extend_from_slice(bytes);
        let first = (shift * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.insert(text.as_bytes()[first..last].to_vec());
        }
    }
    forms
}

pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().map_while(Result::ok) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => dirs.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// Those of these paths that end with this, such as the segments (`wal`) of a log, in their order.
pub fn with_ending(paths: impl IntoIterator<Item = PathBuf>, end: &str) -> Vec<PathBuf> {
    let ends = |path: &PathBuf| path.extension().is_some_and(|found| found == end);
    let mut found: Vec<PathBuf> = paths.into_iter().filter(ends).collect();
    found.sort();
    found
}

/// The last segment of a vault's log that has frames in it.
pub fn newest_segment(vault: &Path) -> PathBuf {
    let has_frames =
        |path: &PathBuf| std::fs::read(path).unwrap()[4096..].iter().any(|byte| *byte != 0);
    let segments = with_ending(files_below(&vault.join("log")), "wal");
    segments.into_iter().rfind(has_frames).unwrap()
}

#[test]
fn every_form_is_found_at_every_alignment() {
    let canary = b"canary-0123456789".to_vec();
    let needles = Needles::new(std::slice::from_ref(&canary));
    for lead in 0..5 {
        let mut bytes = vec![b'x'; lead];
        bytes.extend_from_slice(&canary);
        bytes.extend_from_slice(b"tail");
        assert_eq!(needles.find(&bytes).len(), 1, "raw after {lead}");
        let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
        assert_eq!(needles.find(text.as_bytes()).len(), 1, "base64 after {lead}");
        assert_eq!(needles.find(hex::encode(&bytes).as_bytes()).len(), 1, "hex after {lead}");
    }
    assert!(needles.find(b"canary-012345678").is_empty());
}
