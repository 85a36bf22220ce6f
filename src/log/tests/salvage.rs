//! What can be read of a log that does not open, piece by piece.

use super::*;
use crate::env::Env;
use crate::env::OpenMode;
use crate::log::format::manifest::Manifest;
use crate::log::salvage::SalvageSource;

fn salvage_source(env: &Env) -> SalvageSource {
    Log::salvage_source(env, &dir(), VAULT, auth(), small()).unwrap()
}

/// A snapshot after ten steps and the one before it, and the frames of twenty.
fn two_snapshots() -> (Sim, Log, Model, [u64; 2]) {
    let (sim, mut log) = fresh(80);
    let mut model = Model::default();
    steps(&mut log, &mut model, 10);
    assert!(compact(&mut log).unwrap());
    let middle = model.lsn;
    steps(&mut log, &mut model, 10);
    let ends = [middle, model.lsn];
    (sim, log, model, ends)
}

fn lsns(source: &SalvageSource, after: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let mut visit = |end: End, frame: Frame| {
        let sets: Vec<u64> = frame.sets.iter().map(|set| set.lsn.0).collect();
        assert_eq!(sets.last(), Some(&end.lsn.0));
        assert!(source.known(end.lsn, &end.digest).is_some());
        found.extend(sets);
        Ok(())
    };
    source.frames(Lsn(after), &mut visit).unwrap();
    found
}

#[test]
fn snapshots_and_frames_are_found_in_their_order() {
    let (sim, _log, model, [middle, last]) = two_snapshots();
    let found = salvage_source(&sim.env());
    let snapshots: Vec<u64> = found.snapshots().map(|end| end.lsn.0).collect();
    assert_eq!(snapshots, [middle, 0]);
    assert_eq!(lsns(&found, 0), (1..=last).collect::<Vec<_>>());
    assert_eq!(lsns(&found, middle), (middle + 1..=last).collect::<Vec<_>>());
    assert_eq!(lsns(&found, last), [0; 0]);
    assert_eq!(found.last_known().map(|end| end.lsn), Some(Lsn(last)));
    assert_eq!(found.proven_end().map(|end| end.digest), Some(model.digest()));
    assert!(found.known(Lsn(last), &model.digest()).is_some());
    assert!(found.known(Lsn(last), &[0; 32]).is_none());
    assert!(found.known(Lsn(last + 1), &model.digest()).is_none());
    let mut rows = 0;
    let mut count = |_: Tree, _: &[u8], _: &[u8]| {
        rows += 1;
        Ok(())
    };
    found.read_snapshot(Lsn(middle), &mut count).unwrap();
    assert!(rows > 0);
    assert!(found.read_snapshot(Lsn(last), &mut |_, _, _| Ok(())).is_err());
}

/// Frames say themselves of which segment they are; a damaged one leaves a hole and no more.
#[test]
fn frames_are_found_without_their_segments_header() {
    let (sim, log, _, [_, last]) = two_snapshots();
    let number = log.manifest.last;
    drop(log);
    sim.fs.overwrite(&segment(1), 9, &[0xEE; 40]).unwrap();
    sim.fs.overwrite(&segment(number), 4096 + 200, &[0xEE]).unwrap();
    let found = lsns(&salvage_source(&sim.env()), 0);
    assert_eq!(found.first(), Some(&1));
    assert_eq!(found.last(), Some(&last));
    let holes: Vec<u64> = (1..=last).filter(|lsn| !found.contains(lsn)).collect();
    assert!((1..=2).contains(&holes.len()), "one frame: {holes:?}");
}

#[test]
fn a_damaged_copy_of_the_manifest_is_named() {
    let (sim, _log, model, _) = two_snapshots();
    assert_eq!(check(&sim.env(), &model).manifest_faults().unwrap(), []);
    sim.fs.overwrite(&dir().join("manifest.b"), 100, &[0xEE]).unwrap();
    let faults = check(&sim.env(), &model).manifest_faults().unwrap();
    let files: Vec<&str> = faults.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(files, ["manifest.b"]);
}

/// Two copies of one generation that say different things: the twin cannot choose, the key can.
#[test]
fn of_two_copies_the_signed_one_is_chosen() {
    let (sim, log, model, _) = two_snapshots();
    let env = sim.env();
    let signed = || Log::signed_manifest(&env, &dir(), VAULT, auth()).unwrap();
    assert!(signed().is_none(), "both are the same");
    let manifest = log.manifest.clone();
    drop(log);
    let good = sim.fs.read_all(&dir().join("manifest.a")).unwrap();
    let other = LogContext::new(&env, &dir(), VAULT, Arc::new(OtherKey), &small());
    let body = manifest.encode(&other);
    for name in ["manifest.a", "manifest.b"] {
        sim.fs.delete(&dir().join(name)).unwrap();
    }
    Manifest::twin_in(&env.fs, &dir()).create(manifest.generation, &body).unwrap();
    sim.fs.delete(&dir().join("manifest.a")).unwrap();
    let file = env.fs.open(&dir().join("manifest.a"), OpenMode::CreateNew).unwrap();
    file.write_all_at(&good, 0).unwrap();
    assert!(open(&env).is_err());
    let chosen = signed().unwrap();
    Log::settle_manifest(&env, &dir(), &chosen).unwrap();
    check(&env, &model);
    assert!(signed().is_none());
}

/// Signs with another key.
struct OtherKey;

impl Authenticator for OtherKey {
    fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        let mut tag = mac(domain, parts);
        tag[0] ^= 1;
        tag
    }
    fn new_sum(&self) -> Box<dyn RowSum> {
        Box::new(TestSum::default())
    }
}

/// Only the log's own files are moved; the copy of the manifest is written anew where it is.
#[test]
fn a_file_that_is_moved_aside_is_no_file_of_the_log() {
    let (sim, _log, _, _) = two_snapshots();
    let found = salvage_source(&sim.env());
    found.move_aside("manifest.a").unwrap();
    assert!(sim.fs.paths().contains(&dir().join("manifest.a")));
    found.move_aside("log/0000000001.wal").unwrap();
    assert!(!numbers(&sim, "wal").contains(&1));
    assert!(sim.fs.paths().iter().any(|path| path.extension().is_some_and(|end| end == "damaged")));
}

/// What stands where a segment was said to end is not of the truth, whole or not.
#[test]
fn a_frame_behind_a_named_end_is_none() {
    let (sim, mut log) = fresh(81);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    let last = model.lsn;
    let (segment_id, offset, tag) = (log.tail.id, log.tail.offset, log.tail.tag);
    let position = crate::log::format::frame::FramePosition { segment: segment_id, offset };
    let (bytes, _) =
        crate::log::format::frame::encode(&log.context, &model.clone().step(), position, &tag)
            .unwrap();
    log.begin_first_segment().unwrap();
    drop(log);
    sim.fs.overwrite(&segment(1), offset, &bytes).unwrap();
    assert_eq!(lsns(&salvage_source(&sim.env()), 0), (1..=last).collect::<Vec<_>>());
}

/// For a choice between keystores, before there is a key: only what all copies agree on.
#[test]
fn the_vault_that_a_manifest_names_is_that_of_all_its_copies() {
    let (sim, _log, _, _) = two_snapshots();
    let env = sim.env();
    let named = || Log::named_vault(&env.fs, &dir());
    assert_eq!(named(), Some(VAULT));
    sim.fs.delete(&dir().join("manifest.b")).unwrap();
    assert_eq!(named(), Some(VAULT), "the readable one says it");
    let other = Sim::new(82);
    other.env().fs.create_dir(&dir()).unwrap();
    drop(Log::create(&other.env(), &dir(), [8; 16], auth(), small(), 1, note(0)).unwrap());
    let file = env.fs.open(&dir().join("manifest.b"), OpenMode::CreateNew).unwrap();
    file.write_all_at(&other.fs.read_all(&dir().join("manifest.b")).unwrap(), 0).unwrap();
    assert_eq!(named(), None, "two vaults");
    for name in ["manifest.a", "manifest.b"] {
        sim.fs.delete(&dir().join(name)).unwrap();
    }
    assert_eq!(named(), None);
}
