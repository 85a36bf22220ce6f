//! Tests of the log on the simulated disk.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod compaction;
mod crash;
mod damage;
mod formats;
mod frames;
mod headers;
mod life;
mod prepare;
mod recovery;
mod salvage;
mod space;
mod twins;
mod two_threads;

use super::*;
use crate::env::sim::{CrashPlan, Fault, OpKind, Reach, Sim};
use crate::env::{Env, UnixMillis};
use crate::log::files::LogContext;
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const VAULT: [u8; 16] = [7; 16];
/// The trees that rows of the newest format have.
const TREES: [Tree; 8] = [
    Tree::Names,
    Tree::Secrets,
    Tree::Versions,
    Tree::Blobs,
    Tree::Tokens,
    Tree::Labels,
    Tree::Meta,
    Tree::Events,
];

pub(super) fn dir() -> PathBuf {
    PathBuf::from("/vault")
}

/// HMAC-SHA-256 under a fixed key.
pub(super) struct TestAuth;

fn mac(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"a key for tests").unwrap();
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[derive(Clone, Default)]
struct TestSum([u8; 32]);

impl TestSum {
    fn toggle(&mut self, tree: Tree, key: &[u8], value: &[u8]) {
        for (sum, byte) in self.0.iter_mut().zip(mac("row", &[&[tree as u8], key, value])) {
            *sum ^= byte;
        }
    }
}

impl RowSum for TestSum {
    fn add(&mut self, tree: Tree, key: &[u8], value: &[u8]) {
        self.toggle(tree, key, value);
    }
    fn digest(&self, lsn: Lsn) -> [u8; 32] {
        mac("digest", &[&self.0, &lsn.0.to_le_bytes()])
    }
}

impl Authenticator for TestAuth {
    fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        mac(domain, parts)
    }
    fn new_sum(&self) -> Box<dyn RowSum> {
        Box::new(TestSum::default())
    }
}

pub(super) fn auth() -> Arc<dyn Authenticator> {
    Arc::new(TestAuth)
}

/// Where the parts of a log are made and read one by one.
fn context(sim: &Sim) -> LogContext {
    LogContext::new(&sim.env(), &dir(), VAULT, auth(), &small())
}

pub(super) fn small() -> LogOptions {
    LogOptions { segment_bytes_first: 8192, segment_bytes_max: 32768, ..LogOptions::default() }
}

pub(super) fn note(millis: i64) -> ClockNote {
    ClockNote { wall: UnixMillis(millis), age: UnixMillis(millis), ..ClockNote::default() }
}

type Rows = BTreeMap<(Tree, Vec<u8>), Vec<u8>>;

/// What the rows should be: a map, and its digest kept up to date.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) rows: Rows,
    sum: TestSum,
    pub(super) lsn: u64,
}

impl Model {
    /// The frame of `batch`; the model is as after it.
    pub(super) fn frame(&mut self, batch: &[Vec<RowChange>]) -> Frame {
        let sets = batch
            .iter()
            .map(|rows| {
                self.lsn += 1;
                for row in rows {
                    let at = (row.tree, row.key.to_vec());
                    let new = row.value.as_ref().map(|value| value.to_vec());
                    let old = match &new {
                        Some(value) => self.rows.insert(at, value.clone()),
                        None => self.rows.remove(&at),
                    };
                    if row.tree.is_digested() {
                        for value in old.iter().chain(&new) {
                            self.sum.toggle(row.tree, &row.key, value);
                        }
                    }
                }
                ChangeSet { lsn: Lsn(self.lsn), rows: rows.clone() }
            })
            .collect();
        Frame {
            keystore_generation: 1,
            clock: note(i64::try_from(self.lsn).unwrap()),
            digest: self.digest(),
            sets,
        }
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.sum.digest(Lsn(self.lsn))
    }

    /// One more row, or one less: small variety that follows from the number alone.
    pub(super) fn step(&mut self) -> Frame {
        let n = self.lsn + 1;
        let tree = TREES[usize::try_from(n % 8).unwrap()];
        let mut batch = vec![vec![put(tree, n % 37, n, 40 + n % 200)]];
        if n.is_multiple_of(3) {
            batch.push(vec![
                gone(TREES[usize::try_from(n % 5).unwrap()], n % 31),
                put(Tree::Blobs, n % 11, n, 300),
            ]);
        }
        self.frame(&batch)
    }
}

pub(super) fn put(tree: Tree, key: u64, salt: u64, len: u64) -> RowChange {
    let value: Vec<u8> = (0..len).map(|at| (at ^ salt.wrapping_mul(31)).to_le_bytes()[0]).collect();
    RowChange { tree, key: key.to_be_bytes().into(), value: Some(value.into()) }
}

pub(super) fn gone(tree: Tree, key: u64) -> RowChange {
    RowChange { tree, key: key.to_be_bytes().into(), value: None }
}

/// A new machine with a new log on it.
pub(super) fn fresh(seed: u64) -> (Sim, Log) {
    let sim = Sim::new(seed);
    let log = create(&sim.env()).unwrap();
    (sim, log)
}

pub(super) fn create(env: &Env) -> Result<Log, LogError> {
    match env.fs.create_dir(&dir()) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(LogError::io("mkdir", "", error));
        }
        _ => (),
    }
    env.fs.sync_dir(Path::new("/")).map_err(|error| LogError::io("sync", "", error))?;
    Log::create(env, &dir(), VAULT, auth(), small(), 1, note(0))
}

pub(super) fn open(env: &Env) -> Result<Recovered, LogError> {
    Log::open(env, &dir(), VAULT, auth(), small())
}

/// The calls at which something is cut or fails, one after the other, until a run gets through: where
/// none ever does, the test fails and does not hang.
pub(super) fn calls() -> impl Iterator<Item = u64> {
    (1..).inspect(|call| assert!(*call < 2000, "no run gets through"))
}

/// Calls of one kind on paths with this in them fail, from the next one on, so many times.
pub(super) fn fault(on: OpKind, path: &str, times: u64, error: io::ErrorKind) -> Fault {
    let (on, path_contains) = (vec![on], path.to_owned());
    Fault { on, path_contains, nth: 1, times, error, reach: Reach::Nothing }
}

/// Appends and syncs `count` steps.
pub(super) fn steps(log: &mut Log, model: &mut Model, count: usize) {
    for _ in 0..count {
        log.append(&model.step()).unwrap();
        log.sync().unwrap();
    }
}

/// Snapshot and frames, put together; checks that LSNs follow each other.
pub(super) fn rows_of(found: &Recovered) -> Result<Rows, LogError> {
    let mut rows = Rows::new();
    found.read_snapshot(&mut |tree, key, value| {
        rows.insert((tree, key.to_vec()), value.to_vec());
        Ok(())
    })?;
    let mut lsn = found.snapshot_lsn();
    found.replay(lsn, &mut |frame| {
        for set in frame.sets {
            assert_eq!(set.lsn, lsn.next(), "LSNs follow each other");
            lsn = set.lsn;
            for row in set.rows {
                match row.value {
                    Some(value) => rows.insert((row.tree, row.key.into()), value.into()),
                    None => rows.remove(&(row.tree, row.key.into())),
                };
            }
        }
        Ok(())
    })?;
    assert_eq!(lsn, found.end().lsn);
    Ok(rows)
}

/// Opens, and checks that exactly `model` is found.
#[track_caller]
pub(super) fn check(env: &Env, model: &Model) -> Recovered {
    let found = open(env).unwrap();
    assert_eq!(found.end().lsn, Lsn(model.lsn));
    assert_eq!(found.end().digest, model.digest());
    assert!(rows_of(&found).unwrap() == model.rows, "the rows differ");
    found
}

/// Compacts in line; `false` if there was nothing to do.
pub(super) fn compact(log: &mut Log) -> Result<bool, LogError> {
    let Some(compaction) = log.begin_compaction()? else { return Ok(false) };
    let done = compaction.run()?;
    log.finish_compaction(done)?;
    Ok(true)
}

pub(super) fn power_cut(sim: &Sim, plan: CrashPlan) -> Env {
    sim.fs.crash(plan);
    sim.reboot()
}

/// The numbers of the files with this extension.
pub(super) fn numbers(sim: &Sim, extension: &str) -> Vec<u64> {
    sim.fs
        .paths()
        .iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().parse().unwrap())
        .collect()
}

pub(super) fn segment(number: u64) -> PathBuf {
    dir().join(format!("log/{number:010}.wal"))
}

pub(super) fn snapshot(number: u64) -> PathBuf {
    dir().join(format!("log/{number:010}.snap"))
}

/// Repairs with the rows of `model`, as a whole state would.
pub(super) fn repair(env: &Env, end: End, model: &Model) -> Result<Recovered, LogError> {
    let mut rows = |visit: &mut RowVisitor<'_>| {
        model.rows.iter().try_for_each(|((tree, key), value)| visit(*tree, key, value))
    };
    Log::repair(env, &dir(), VAULT, auth(), small(), end, &mut rows)
}
