//! What tells the formats apart, how a log of format 1 becomes one of format 2, and the index of snapshots.

use super::*;
use crate::log::files::{TWIN_HEADER_BYTES, Twin};
use crate::log::format::manifest::{BODY_BYTES, Manifest};

fn manifest_bytes(sim: &Sim) -> Vec<u8> {
    sim.fs.read_all(&dir().join("manifest.a")).unwrap()
}

/// A log of format 1 with these rows, and frames after its snapshot.
fn old(seed: u64) -> (Sim, Model) {
    let (sim, mut log) = fresh(seed);
    let mut model = Model::default();
    steps(&mut log, &mut model, 20);
    log.close(note(1)).unwrap();
    drop(log);
    let found = open(&sim.env()).unwrap();
    model.rows.retain(|(tree, _), _| RowFormat::One.has(*tree));
    recount(&mut model);
    begin(&found, RowFormat::One, &mut model).unwrap();
    let mut log = open(&sim.env()).unwrap().start().unwrap();
    let batch = vec![vec![put(Tree::Keys, 1, 1, 40), put(Tree::Names, 1, 1, 9)]];
    log.append(&model.frame(&batch)).unwrap();
    log.sync().unwrap();
    (sim, model)
}

fn recount(model: &mut Model) {
    model.sum = TestSum::default();
    for ((tree, key), value) in model.rows.iter().filter(|((tree, _), _)| tree.is_digested()) {
        model.sum.toggle(*tree, key, value);
    }
}

/// Begins the log anew with the rows of `model`, as one more operation.
fn begin(found: &Recovered, format: RowFormat, model: &mut Model) -> Result<(), LogError> {
    model.lsn += 1;
    let (lsn, digest) = (Lsn(model.lsn), model.digest());
    let end = End { lsn, digest, ..found.end().clone() };
    let mut rows = |visit: &mut RowVisitor<'_>| {
        model.rows.iter().try_for_each(|((tree, key), value)| visit(*tree, key, value))
    };
    match format {
        RowFormat::One => found.begin_as(format, end, &mut rows),
        RowFormat::Two => found.begin_anew(end, &mut rows),
    }
}

/// MAN-8: the number in the twin, the domain of the MAC and what is reserved.
#[test]
fn a_manifest_says_which_format_it_is_of() {
    let (sim, log) = fresh(70);
    let context = &log.context;
    for format in [RowFormat::One, RowFormat::Two] {
        let manifest = Manifest { format, ..log.manifest.clone() };
        let body = manifest.encode(context);
        let number = format.number();
        let generation = manifest.generation;
        let read = Manifest::decode(context, number, &body, generation).unwrap();
        assert!(read == manifest);
        let other = Manifest::decode(context, 3 - number, &body, generation).err();
        assert!(matches!(other, Some(LogError::Damaged(damage)) if damage.rule == "MAN-2"));
        let unknown = Manifest::decode(context, 3, &body, generation).err();
        assert!(matches!(unknown, Some(LogError::Damaged(damage)) if damage.rule == "MAN-8"));
    }
    // State flag and hash, head of the audit chain, anchor.
    let reserved = 16 + 4 * 8 + 216 + 1 + 216 + 1 + 144;
    for at in [0, 1, 32, 33, 41, 49, 80, 81, 144].map(|at| reserved + at) {
        let mut body = log.manifest.encode(context);
        body.truncate(BODY_BYTES - 32);
        body[at] = 1;
        let tag = context.tag("strongroom/log/manifest/v2", &[&body]);
        body.extend_from_slice(&tag);
        let refused = Manifest::decode(context, 2, &body, log.manifest.generation).err();
        assert!(matches!(refused, Some(LogError::Damaged(damage)) if damage.rule == "MAN-3"));
    }
    // A program that knows format 1 alone.
    let before = Twin::new(sim.fs.clone(), &dir(), "manifest", BODY_BYTES, 1);
    let refused = before.read().err();
    assert!(matches!(refused, Some(LogError::NewerFormat { found: 2, known: 1, .. })));
    assert_eq!(manifest_bytes(&sim).len(), TWIN_HEADER_BYTES + BODY_BYTES);
}

#[test]
fn a_log_of_format_1_is_read_written_and_compacted_as_such() {
    let (sim, model) = old(71);
    let found = check(&sim.env(), &model);
    assert_eq!(found.row_format(), RowFormat::One);
    let ((tree, key), value) =
        model.rows.iter().find(|((tree, _), _)| *tree == Tree::Blobs).unwrap();
    assert_eq!(found.snapshot_row(*tree, key).unwrap().as_deref(), Some(value.as_slice()));
    assert!(found.snapshot_row(*tree, b"absent").unwrap().is_none());
    let mut log = found.start().unwrap();
    assert!(compact(&mut log).unwrap());
    log.close(note(2)).unwrap();
    assert_eq!(check(&sim.env(), &model).row_format(), RowFormat::One);
    assert_eq!(manifest_bytes(&sim)[24], 1);
}

#[test]
fn a_log_of_format_1_becomes_one_of_format_2_and_the_old_files_go() {
    let (sim, mut model) = old(72);
    let found = open(&sim.env()).unwrap();
    model.rows.retain(|(tree, _), _| RowFormat::Two.has(*tree));
    recount(&mut model);
    begin(&found, RowFormat::Two, &mut model).unwrap();
    assert!(begin(&open(&sim.env()).unwrap(), RowFormat::Two, &mut model.clone()).is_err());
    let found = check(&sim.env(), &model);
    assert_eq!(found.row_format(), RowFormat::Two);
    let mut log = found.start().unwrap();
    assert_eq!(numbers(&sim, "snap"), [log.manifest.snapshot.number]);
    steps(&mut log, &mut model, 5);
    assert_eq!(check(&sim.env(), &model).row_format(), RowFormat::Two);
}

/// Rows of trees that the log's format does not have.
#[test]
fn a_row_of_another_format_is_damage() {
    for (format, tree) in [(RowFormat::One, Tree::Events), (RowFormat::Two, Tree::Keys)] {
        let (sim, mut model) = old(73);
        if format == RowFormat::Two {
            model.rows.retain(|(tree, _), _| RowFormat::Two.has(*tree));
            recount(&mut model);
            begin(&open(&sim.env()).unwrap(), format, &mut model).unwrap();
        }
        let mut log = open(&sim.env()).unwrap().start().unwrap();
        log.append(&model.frame(&[vec![put(tree, 1, 1, 9)]])).unwrap();
        log.sync().unwrap();
        let refused = rows_of(&open(&sim.env()).unwrap()).err();
        assert!(matches!(refused, Some(LogError::Damaged(damage)) if damage.rule == "MAN-8"));
        // No snapshot takes it over.
        let refused = compact(&mut log).err();
        assert!(matches!(refused, Some(LogError::Damaged(damage)) if damage.rule == "MAN-8"));
    }
}

/// A closed log whose snapshot has many blocks.
fn large() -> (Sim, Model) {
    let (sim, mut log) = fresh(74);
    let mut model = Model::default();
    for n in 0..40_u64 {
        let rows =
            (0..10).map(|at| put(TREES[usize::try_from(n % 8).unwrap()], n * 100 + at, n, 1_500));
        log.append(&model.frame(&[rows.collect()])).unwrap();
        log.sync().unwrap();
    }
    assert!(compact(&mut log).unwrap());
    log.close(note(3)).unwrap();
    (sim, model)
}

#[test]
fn a_row_is_found_by_the_index_with_few_reads() {
    let (sim, model) = large();
    let found = open(&sim.env()).unwrap();
    for ((tree, key), value) in &model.rows {
        let before = sim.fs.reads_done();
        assert_eq!(found.snapshot_row(*tree, key).unwrap().as_deref(), Some(value.as_slice()));
        assert!(sim.fs.reads_done() - before <= 8, "one block is read");
        for absent in [[key.as_slice(), &[0]].concat(), key[..7].to_vec()] {
            let is_there = model.rows.contains_key(&(*tree, absent.clone()));
            assert_eq!(found.snapshot_row(*tree, &absent).unwrap().is_some(), is_there);
        }
    }
    for tree in Tree::ALL {
        assert!(found.snapshot_row(tree, &[0]).unwrap().is_none());
        assert!(found.snapshot_row(tree, &[255; 9]).unwrap().is_none());
    }
}

/// SNAP-9: no flip in index or footer goes unnoticed, neither by who looks a row up nor by who reads all.
#[test]
fn a_damaged_index_is_noticed() {
    let (sim, model) = large();
    let found = open(&sim.env()).unwrap();
    let path = snapshot(1);
    let bytes = sim.fs.read_all(&path).unwrap();
    let index_at =
        u64::from_le_bytes(bytes[bytes.len() - 48..bytes.len() - 40].try_into().unwrap());
    let ((tree, key), value) = model.rows.iter().nth(200).unwrap();
    for at in (index_at..bytes.len() as u64).step_by(5) {
        sim.fs.overwrite(&path, at, &[bytes[usize::try_from(at).unwrap()] ^ 4]).unwrap();
        assert!(found.snapshot_row(*tree, key).is_err(), "at {at}");
        assert!(found.read_snapshot(&mut |_, _, _| Ok(())).is_err(), "at {at}");
        sim.fs.overwrite(&path, at, &[bytes[usize::try_from(at).unwrap()]]).unwrap();
    }
    assert_eq!(found.snapshot_row(*tree, key).unwrap().as_deref(), Some(value.as_slice()));
}
