//! The files of the log, one by one. A fuzzer cannot forge their MACs, so the bodies also add valid MACs to
//! its bytes. They use a fast keyed hash; the parsers do not depend on the choice.

use super::input::{Input, mutate};
use crate::env::sim::{Sim, SimFs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom::__internals::env::{Fs, OpenMode};
use strongroom::__internals::log::internals::{
    BLOCK_BYTES, Desk, FIRST_FRAME, FRAME_ALIGN, encoded_row, frame_rows,
};
use strongroom::__internals::log::{Authenticator, RowSum};
use strongroom::__internals::model::{Lsn, Tree};

pub(super) const VAULT: [u8; 16] = *b"vault of targets";
pub(super) const DIR: &str = "/vault";
const SEGMENT_ID: [u8; 16] = *b"id of a segment!";

/// A fast hash in place of a MAC.
pub(super) struct Mixer;

fn mixed(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = 1_u64;
    let mut add = |word: u64| {
        let product = u128::from(state ^ word) * u128::from(FACTOR);
        state = (product as u64) ^ (product >> 64) as u64 ^ word.rotate_left(32);
    };
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        add(part.len() as u64 | 1 << 63);
        let (words, rest) = part.as_chunks::<8>();
        words.iter().for_each(|word| add(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| add(u64::from(*byte) | 0x100));
    }
    let mut tag = [0; 32];
    super::input::Stream::new(state).fill(&mut tag);
    tag
}

/// The XOR of the rows' hashes.
#[derive(Clone, Default)]
pub(super) struct MixedSum([u8; 32]);

impl MixedSum {
    pub(super) fn toggle(&mut self, tree: Tree, key: &[u8], value: &[u8]) {
        if tree.is_digested() {
            let row = mixed("row", &[&[tree as u8], key, value]);
            self.0.iter_mut().zip(row).for_each(|(sum, byte)| *sum ^= byte);
        }
    }
}

impl RowSum for MixedSum {
    fn add(&mut self, tree: Tree, key: &[u8], value: &[u8]) {
        self.toggle(tree, key, value);
    }

    fn digest(&self, lsn: Lsn) -> [u8; 32] {
        mixed("digest", &[&self.0, &lsn.0.to_le_bytes()])
    }
}

impl Authenticator for Mixer {
    fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        mixed(domain, parts)
    }

    fn new_sum(&self) -> Box<dyn RowSum> {
        Box::new(MixedSum::default())
    }
}

/// A machine without durability. It is fast, and its power is never cut here.
pub(super) fn machine(fs: SimFs) -> Sim {
    Sim { fs: Arc::new(fs), ..Sim::new(1) }
}

struct Bench {
    fs: Arc<SimFs>,
    desk: Desk,
}

impl Bench {
    fn new() -> Self {
        let sim = machine(SimFs::volatile());
        for dir in ["/vault", "/vault/log"] {
            sim.fs.create_dir(Path::new(dir)).unwrap();
        }
        let desk = Desk::new(&sim.env(), Path::new(DIR), VAULT, Arc::new(Mixer));
        Self { fs: sim.fs, desk }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        put(&self.fs, &Path::new(DIR).join(name), bytes);
    }
}

/// Writes a whole file.
pub(super) fn put(fs: &SimFs, path: &Path, bytes: &[u8]) {
    let file = fs.open(path, OpenMode::Create).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

thread_local! {
    static BENCH: Bench = Bench::new();
}

/// Two copies of any bytes, or of a body with the right checksum and MAC. Decoded content is canonical, and
/// after a repair both copies hold it.
pub(super) fn manifest(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let choice = input.u8();
    let generations = [input.u16(), input.u16()].map(u64::from);
    let len = input.u16();
    let halves = [input.take(len.into()), input.rest()];
    BENCH.with(|Bench { fs, desk }| {
        let twin = desk.manifest_twin();
        let paths = twin.names().map(|name| PathBuf::from(DIR).join(name));
        let files = [0, 1].map(|copy| match choice >> (2 * copy) & 3 {
            0 => Some(halves[copy].to_vec()),
            1 => None,
            way => {
                let mut fields = halves[copy].to_vec();
                if way == 3 && fields.len() >= 24 {
                    // The parts that have to fit do.
                    fields[..16].copy_from_slice(&VAULT);
                    fields[16..24].copy_from_slice(&generations[copy].to_le_bytes());
                }
                fields.truncate(3000);
                let body = desk.sealed_manifest(&fields);
                twin.create(generations[copy], &body).unwrap();
                Some(fs.read_all(&paths[copy]).unwrap())
            }
        });
        for (path, bytes) in paths.iter().zip(&files) {
            let _ = fs.delete(path);
            if let Some(bytes) = bytes {
                put(fs, path, bytes);
            }
        }
        let twin = desk.manifest_twin();
        let Ok(content) = twin.read() else { return };
        let Ok(again) = desk.manifest_again(&content.body, content.generation) else { return };
        assert!(again == content.body, "the encoding is canonical");
        twin.repair(&content).unwrap();
        let repaired = desk.manifest_twin().read().unwrap();
        assert!(repaired.body == content.body && repaired.generation == content.generation);
        assert!(!repaired.needs_repair, "both copies are good");
    });
}

/// Any bytes after a header, or frames with the right MAC. All valid frames before the first invalid one are
/// found, and each is in canonical encoding.
pub(super) fn segment(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let choice = input.u8();
    let mut area = Vec::new();
    let mut patch: &[u8] = &[];
    let mut good = 0;
    match choice & 3 {
        0 => {
            BENCH.with(|bench| {
                bench.put("log/0000000001.wal", input.rest());
                let _ = bench.desk.walk(1).map(|walked| walked.frames.len());
            });
            return;
        }
        1 => {
            patch = input.short();
            area.extend_from_slice(input.rest());
        }
        _ => BENCH.with(|bench| good = frames(&mut input, bench, &mut area)),
    }
    area.resize(area.len().next_multiple_of(FRAME_ALIGN), 0);
    let mut fields = header(FIRST_FRAME + area.len() as u64);
    let at = usize::from(choice >> 2) * 4 % fields.len();
    let end = (at + patch.len()).min(fields.len());
    fields[at..end].copy_from_slice(&patch[..end - at]);
    BENCH.with(|bench| {
        let mut file = bench.desk.sealed_segment_header(&fields);
        let block = file.clone();
        file.extend_from_slice(&area);
        bench.put("log/0000000001.wal", &file);
        let Ok(walked) = bench.desk.walk(1) else { return };
        assert!(walked.header == block, "the header is canonical");
        let mut at = BLOCK_BYTES;
        for (bytes, again) in &walked.frames {
            assert!(bytes == again, "a frame is canonical");
            assert!(file[at..].starts_with(bytes), "frames follow each other");
            at += bytes.len();
        }
        assert_eq!(at as u64, walked.end);
        assert!(walked.frames.len() >= good, "a good frame was passed over");
    });
}

/// The fields of the header of a first segment.
fn header(capacity: u64) -> Vec<u8> {
    let mut fields = b"SRSEGMT\n\x01\0\0\0\0\0\0\0".to_vec();
    fields.extend_from_slice(&VAULT);
    fields.extend_from_slice(&1_u64.to_le_bytes());
    fields.extend_from_slice(&SEGMENT_ID);
    fields.extend_from_slice(&capacity.to_le_bytes());
    fields.resize(fields.len() + 144, 0);
    fields
}

/// Frames from the input, and the number of valid ones at the start.
fn frames(input: &mut Input<'_>, bench: &Bench, area: &mut Vec<u8>) -> usize {
    let (mut lsn, mut previous) = (1_u64, [0; 32]);
    let (mut good, mut all_good) = (0, true);
    for _ in 0..6 {
        if input.is_empty() {
            break;
        }
        let flags = input.u8();
        let (count, sets) = if flags & 1 == 0 {
            built_sets(input)
        } else {
            all_good = false;
            (u32::from(input.u8()), input.short().to_vec())
        };
        let len = (160 + sets.len()).next_multiple_of(FRAME_ALIGN) + 32;
        let mut frame = b"SRf1".to_vec();
        frame.extend_from_slice(&(len as u32).to_le_bytes());
        frame.extend_from_slice(&SEGMENT_ID);
        frame.extend_from_slice(&(FIRST_FRAME + area.len() as u64).to_le_bytes());
        frame.extend_from_slice(&lsn.to_le_bytes());
        frame.extend_from_slice(&(lsn + u64::from(count) - u64::from(count > 0)).to_le_bytes());
        frame.extend_from_slice(&previous);
        frame.resize(152, 7);
        frame.extend_from_slice(&count.to_le_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(&sets);
        frame.resize(len - 32, 0);
        if flags & 2 == 2 {
            let (at, byte) = (usize::from(input.u16()) % frame.len(), input.u8());
            all_good &= frame[at] == byte;
            frame[at] = byte;
        }
        let mut sealed = bench.desk.sealed_frame(&frame);
        previous.copy_from_slice(&sealed[sealed.len() - 32..]);
        if flags & 4 == 4 {
            let (at, byte) = (usize::from(input.u16()) % sealed.len(), input.u8());
            all_good &= sealed[at] == byte;
            sealed[at] = byte;
        }
        if flags & 8 == 8 {
            area.resize(area.len() + FRAME_ALIGN, 0);
            all_good = false;
        }
        assert!(!all_good || frame_rows(&sealed).is_some());
        good += usize::from(all_good);
        lsn += u64::from(count);
        area.extend_from_slice(&sealed);
    }
    good
}

fn tree(number: u8) -> Tree {
    Tree::ALL[usize::from(number % 8)]
}

/// One to four sets of rows within the limits.
fn built_sets(input: &mut Input<'_>) -> (u32, Vec<u8>) {
    let count = u32::from(input.u8() % 4) + 1;
    let mut bytes = Vec::new();
    for _ in 0..count {
        let mut rows = Vec::new();
        for _ in 0..input.u8() % 4 {
            let (number, key) = (input.u8(), input.short());
            let value = (number & 8 == 0).then(|| input.short());
            rows.extend(encoded_row(tree(number), key, value));
        }
        bytes.extend_from_slice(&(rows.len() as u16).to_le_bytes());
        bytes.extend(rows.into_iter().flatten());
    }
    (count, bytes)
}

/// Any bytes as a snapshot, or blocks with the right MACs. All written rows are read, and everything that is
/// read is in canonical encoding.
pub(super) fn snapshot(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let choice = input.u8();
    BENCH.with(|bench| {
        let read = |file: &[u8]| {
            bench.put("log/0000000001.snap", file);
            let name = bench.desk.found_snapshot(1)?;
            let rows = bench.desk.read_snapshot(&name)?;
            assert_eq!(rows.len() as u64, name.rows());
            Ok::<_, strongroom::__internals::log::LogError>(rows)
        };
        if choice & 1 == 0 {
            let _ = read(input.rest());
            return;
        }
        let (mut blocks, mut written, mut is_good) = (Vec::new(), Vec::new(), true);
        let mut all = Vec::new();
        for _ in 0..input.u8() % 4 {
            let flags = input.u8();
            let (mut count, mut payload) = (0, Vec::new());
            if flags & 1 == 0 {
                for _ in 0..input.u8() % 5 {
                    let (number, key, value) = (input.u8(), input.short(), input.short());
                    let Some(row) = encoded_row(tree(number), key, Some(value)) else { continue };
                    payload.extend_from_slice(&row);
                    written.push((tree(number), key.to_vec(), value.to_vec()));
                    count += 1;
                }
                is_good &= count > 0;
            } else {
                (count, payload) = (input.u8().into(), input.short().to_vec());
                is_good = false;
            }
            all.extend_from_slice(&payload);
            blocks.push((count, payload));
        }
        let rises =
            |pair: &[(Tree, Vec<u8>, Vec<u8>)]| (pair[0].0, &pair[0].1) < (pair[1].0, &pair[1].1);
        is_good &= written.windows(2).all(rises);
        // Only format 1 has rows of this tree.
        is_good &= written.iter().all(|(tree, ..)| *tree != Tree::Keys);
        let rows = blocks.iter().map(|(count, _)| u64::from(*count)).sum();
        let (mut file, name) = bench.desk.sealed_snapshot(1, SEGMENT_ID, &blocks, rows);
        bench.put("log/0000000001.snap", &file);
        let found = bench.desk.read_snapshot(&name);
        if is_good {
            assert!(found.as_ref().is_ok_and(|found| *found == written), "the rows are there");
        }
        if let Ok(found) = found {
            let again: Vec<u8> = found
                .iter()
                .flat_map(|(tree, key, value)| encoded_row(*tree, key, Some(value)).unwrap())
                .collect();
            assert!(again == all, "rows are canonical");
            // Any change is detected.
            let before = file.clone();
            mutate(&mut input, &mut file);
            if file != before {
                bench.put("log/0000000001.snap", &file);
                assert!(bench.desk.read_snapshot(&name).is_err(), "a changed snapshot is read");
            }
        }
    });
}
