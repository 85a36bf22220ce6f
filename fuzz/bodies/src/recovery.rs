//! A whole log folder with damage.

use super::input::Input;
use super::logs::{DIR, MixedSum, Mixer, VAULT, machine, put};
use crate::env::sim::SimFs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use strongroom::__internals::env::Fs;
use strongroom::__internals::env::UnixMillis;
use strongroom::__internals::log::internals::{Rows, rows_of};
use strongroom::__internals::log::{
    ClockNote, End, Frame, Log, LogError, LogOptions, Recovered, RowFormat, RowSum as _, RowVisitor,
};
use strongroom::__internals::model::{ChangeSet, Lsn, RowChange, Tree};

/// A small log, with its rows after each of its frames.
struct Image {
    fs: SimFs,
    /// By the last LSN of each frame; includes 0.
    history: BTreeMap<Lsn, (Rows, [u8; 32])>,
    /// Whether it was closed, so that its end is marked.
    is_closed: bool,
}

/// Logs of many kinds: fresh, of several segments, compacted, closed, reopened, unsynced at the end.
static IMAGES: LazyLock<Vec<Image>> = LazyLock::new(|| (0..8).map(image).collect());

fn options() -> LogOptions {
    LogOptions { segment_bytes_first: 8192, segment_bytes_max: 8192, ..LogOptions::default() }
}

fn open(fs: &Arc<SimFs>) -> Result<Recovered, LogError> {
    let env = crate::env::sim::Sim { fs: Arc::clone(fs), ..crate::env::sim::Sim::new(1) }.env();
    Log::open(&env, Path::new(DIR), VAULT, Arc::new(Mixer), options())
}

/// The written rows, and the sum that frames contain.
struct Writer {
    rows: Rows,
    sum: MixedSum,
    lsn: Lsn,
    history: BTreeMap<Lsn, (Rows, [u8; 32])>,
}

impl Writer {
    fn new() -> Self {
        let sum = MixedSum::default();
        let history = BTreeMap::from([(Lsn(0), (Rows::new(), sum.digest(Lsn(0))))]);
        Self { rows: Rows::new(), sum, lsn: Lsn(0), history }
    }

    /// The next frame. It depends on the number alone.
    fn frame(&mut self) -> Frame {
        let mut sets = Vec::new();
        for _ in 0..=self.lsn.0 % 2 {
            self.lsn = self.lsn.next();
            let n = self.lsn.0;
            let trees = Tree::ALL.into_iter().filter(|tree| RowFormat::NEWEST.has(*tree));
            let tree = trees.cycle().nth(usize::try_from(n % 8).unwrap()).unwrap();
            let is_live = !n.is_multiple_of(5);
            let key = (n % 7).to_be_bytes().to_vec();
            let value = vec![n as u8; 20 + usize::try_from(n * 37 % 400).unwrap()];
            if let Some(old) = self.rows.remove(&(tree, key.clone())) {
                self.sum.toggle(tree, &key, &old);
            }
            if is_live {
                self.sum.toggle(tree, &key, &value);
                self.rows.insert((tree, key.clone()), value.clone());
            }
            let value = is_live.then(|| value.into());
            let rows = vec![RowChange { tree, key: key.into(), value }];
            sets.push(ChangeSet { lsn: self.lsn, rows });
        }
        let digest = self.sum.digest(self.lsn);
        self.history.insert(self.lsn, (self.rows.clone(), digest));
        Frame { keystore_generation: 1, clock: note(self.lsn), digest, sets }
    }

    fn write(&mut self, log: &mut Log, frames: usize) {
        for _ in 0..frames {
            log.append(&self.frame()).unwrap();
            log.sync().unwrap();
        }
    }
}

fn note(lsn: Lsn) -> ClockNote {
    let at = UnixMillis(lsn.0.cast_signed());
    ClockNote { wall: at, age: at, ..ClockNote::default() }
}

fn image(kind: u8) -> Image {
    let sim = machine(SimFs::volatile());
    sim.fs.create_dir(Path::new(DIR)).unwrap();
    let env = sim.env();
    let mut log =
        Log::create(&env, Path::new(DIR), VAULT, Arc::new(Mixer), options(), 1, note(Lsn(0)))
            .unwrap();
    let mut writer = Writer::new();
    writer.write(&mut log, [2, 14, 5, 5, 14, 3, 0, 10][usize::from(kind)]);
    if kind >= 2 {
        if let Some(compaction) = log.begin_compaction().unwrap() {
            let done = compaction.run().unwrap();
            log.finish_compaction(done).unwrap();
        }
        writer.write(&mut log, 3);
    }
    let is_closed = kind % 2 == 1;
    if is_closed {
        log.close(note(writer.lsn)).unwrap();
    } else if kind == 4 {
        drop(log);
        log = open(&sim.fs).unwrap().start().unwrap();
        writer.write(&mut log, 2);
        log.append(&writer.frame()).unwrap();
    }
    Image { fs: sim.fs.fork(), history: writer.history, is_closed }
}

/// A small log, damaged as the input says. Either it opens with rows that were written (all of them if it was
/// closed) and accepts writes; or it reports the damage, and an end that it proves is a real one from which
/// the log can be repaired.
pub(super) fn recovery(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let choice = input.u8();
    let image = &IMAGES[usize::from(choice % 8)];
    let fs = Arc::new(image.fs.fork());
    for _ in 0..8 {
        if input.is_empty() {
            break;
        }
        damage(&mut input, &fs);
    }
    match open(&fs).and_then(|found| rows_of(&found).map(|rows| (found, rows))) {
        Ok((found, rows)) => {
            check(image, found.end(), &rows);
            if choice & 8 == 8 {
                goes_on(&fs, found, rows);
            }
        }
        Err(LogError::Damaged(damage)) => {
            let Some(end) = damage.proven_end else { return };
            let known = image.history.get(&end.lsn).filter(|(_, digest)| *digest == end.digest);
            let (rows, _) = known.expect("a proven end is one that was");
            if choice & 16 == 16 {
                repairs(&fs, image, end, rows);
            }
        }
        Err(LogError::Io { .. } | LogError::NewerFormat { .. }) => (),
        Err(error) => panic!("opening has no reason for this: {error}"),
    }
}

fn check(image: &Image, end: &End, rows: &Rows) {
    let (expected, digest) = image.history.get(&end.lsn).expect("an end that was");
    assert!(*digest == end.digest && expected == rows, "rows that were not written");
    if image.is_closed {
        let last = image.history.keys().next_back();
        assert_eq!(last, Some(&end.lsn), "a closed log has all that it had");
    }
}

/// The log settles, accepts one more frame, and shows it after a close and an open.
fn goes_on(fs: &Arc<SimFs>, found: Recovered, mut rows: Rows) {
    let lsn = found.end().lsn.next();
    let Ok(mut log) = found.start() else { return };
    let (tree, key, value) = (Tree::Meta, b"one more".to_vec(), b"row".to_vec());
    rows.insert((tree, key.clone()), value.clone());
    let mut sum = MixedSum::default();
    rows.iter().for_each(|((tree, key), value)| sum.toggle(*tree, key, value));
    let change = RowChange { tree, key: key.into(), value: Some(value.into()) };
    let sets = vec![ChangeSet { lsn, rows: vec![change] }];
    let digest = sum.digest(lsn);
    let frame = Frame { keystore_generation: 1, clock: note(lsn), digest, sets };
    if log.append(&frame).and_then(|()| log.sync()).is_err() {
        return;
    }
    log.close(note(lsn)).unwrap();
    let found = open(fs).expect("what was started and closed opens");
    assert_eq!((found.end().lsn, found.end().digest), (lsn, digest));
    assert!(rows_of(&found).expect("and is read") == rows);
}

fn repairs(fs: &Arc<SimFs>, image: &Image, end: End, rows: &Rows) {
    let mut hand = |visit: &mut RowVisitor<'_>| {
        rows.iter().try_for_each(|((tree, key), value)| visit(*tree, key, value))
    };
    let env = crate::env::sim::Sim { fs: Arc::clone(fs), ..crate::env::sim::Sim::new(2) }.env();
    let dir = Path::new(DIR);
    let repaired =
        Log::repair(&env, dir, VAULT, Arc::new(Mixer), options(), end.clone(), &mut hand);
    if let Ok(repaired) = repaired {
        let found = rows_of(&repaired).expect("repaired rows are read");
        check(image, repaired.end(), &found);
        assert_eq!(repaired.end().lsn, end.lsn);
    }
}

/// One damage to a folder: rot, a cut, or a lost, unknown or misplaced file.
fn damage(input: &mut Input<'_>, fs: &SimFs) {
    let paths: Vec<PathBuf> = fs.paths();
    let kind = input.u8();
    let Some(path) = paths.get(usize::from(input.u8()) % paths.len().max(1)) else { return };
    let len = fs.read_all(path).unwrap().len();
    let offset = usize::from(input.u16()) % len.max(1);
    match kind % 8 {
        0 => {
            let byte = fs.read_all(path).unwrap().get(offset).copied().unwrap_or(0);
            let _ = fs.overwrite(path, offset as u64, &[byte ^ 1 << (input.u8() % 8)]);
        }
        1 => drop(fs.overwrite(path, offset as u64, input.short())),
        2 => drop(fs.truncate(path, offset as u64)),
        3 => drop(fs.truncate(path, (len + offset % 8192) as u64)),
        4 => drop(fs.delete(path)),
        5 => {
            let zeros = vec![0; usize::from(input.u8()) * 16 % (len - offset).max(1)];
            let _ = fs.overwrite(path, offset as u64, &zeros);
        }
        6 => {
            let other = &paths[usize::from(input.u8()) % paths.len()];
            let (one, two) = (fs.read_all(path).unwrap(), fs.read_all(other).unwrap());
            put(fs, path, &two);
            if input.u8() & 1 == 1 {
                put(fs, other, &one);
            }
        }
        _ => {
            const NAMES: [&str; 8] = [
                "0000000002.wal",
                "0000000009.wal",
                "0000000001.snap",
                "0000000007.snap",
                "0000000003.prep",
                "0000000001.wal.damaged",
                "nothing of ours",
                "99999999999999999999.wal",
            ];
            let name = NAMES[usize::from(input.u8() % 8)];
            let bytes =
                if kind & 8 == 8 { fs.read_all(path).unwrap() } else { input.short().to_vec() };
            put(fs, &Path::new(DIR).join("log").join(name), &bytes);
        }
    }
}
