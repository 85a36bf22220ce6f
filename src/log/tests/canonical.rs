//! What has a right MAC and is still not what a writer makes is refused: each rule of a frame, a
//! header and a manifest by itself, at its edge.

use super::super::error::LogError;
use super::super::files::Place;
use super::super::frame::{self, ALIGN, FrameFault, HEADER_BYTES, SET_ROWS_MAX, Spot, TAG_BYTES};
use super::super::manifest::{Manifest, SnapshotRecord};
use super::super::segment::{self, Segment, SegmentHeader, Tail};
#[cfg(feature = "internals")]
use super::super::snapshot::{self, SnapshotReader};
use super::*;
use crate::env::OpenMode;

const SPOT: Spot = Spot { segment: [5; 16], offset: 4096 };

fn place(sim: &Sim) -> Place {
    Place::new(&sim.env(), &dir(), VAULT, auth(), &small())
}

/// A frame of one set with a row of 20 bytes and a tombstone: rows at 162 and 198, padding at 214.
fn rows() -> Frame {
    let mut row = put(Tree::Blobs, 1, 1, 20);
    row.value = Some(vec![7; 20].into());
    Model::default().frame(&[vec![row, gone(Tree::Keys, 2)]])
}

/// The good frame, changed and signed again, as it is read.
fn read(change: impl FnOnce(&mut Vec<u8>)) -> Result<usize, &'static str> {
    let sim = Sim::new(1);
    let place = place(&sim);
    let (mut bytes, _) = frame::encode(&place, &rows(), SPOT, &[0; 32]).unwrap();
    bytes.truncate(bytes.len() - TAG_BYTES);
    change(&mut bytes);
    let len = u32::try_from(bytes.len() + TAG_BYTES).unwrap();
    bytes[4..8].copy_from_slice(&len.to_le_bytes());
    let tag = place.tag(frame::DOMAIN, &[&bytes]);
    bytes.extend_from_slice(&tag);
    frame::authenticate(&place, &bytes, SPOT)?;
    let mut visited = 0;
    let outcome = frame::visit_rows(&bytes, &mut |_| {
        visited += 1;
        Ok(())
    });
    match outcome {
        Ok(()) => Ok(visited),
        Err(FrameFault::Format) => Err("LOG-14"),
        Err(FrameFault::Visitor(error)) => panic!("{error}"),
    }
}

/// LOG-11, LOG-14, LOG-15: a frame is written in one way.
#[test]
fn a_signed_frame_that_no_writer_makes_is_refused() {
    assert_eq!(read(|_| ()), Ok(3));
    assert_eq!(read(|bytes| bytes[1] = b'x'), Err("LOG-11"), "magic");
    assert_eq!(read(|bytes| bytes[8] ^= 1), Err("LOG-11"), "segment");
    assert_eq!(read(|bytes| bytes[24] ^= 16), Err("LOG-11"), "offset");
    assert_eq!(read(|bytes| bytes.push(0)), Err("LOG-11"), "length no multiple of 16");
    assert_eq!(read(|bytes| bytes.truncate(HEADER_BYTES - ALIGN)), Err("LOG-11"), "too short");
    assert_eq!(read(|bytes| bytes[32] = 0), Err("LOG-14"), "a set from before the first");
    assert_eq!(read(|bytes| bytes[32] = 2), Err("LOG-14"), "last LSN before the first");
    assert_eq!(read(|bytes| bytes[40] = 2), Err("LOG-14"), "two LSNs, one set");
    assert_eq!(read(|bytes| bytes[152] = 2), Err("LOG-14"), "two sets, one LSN");
    assert_eq!(read(|bytes| bytes[156] = 1), Err("LOG-11"), "zero field");
    assert_eq!(read(|bytes| bytes[160] = 1), Err("LOG-14"), "a row that is not counted");
    assert_eq!(read(|bytes| bytes[160] = 3), Err("LOG-14"), "a row that is not there");
    assert_eq!(read(|bytes| bytes[162] = 200), Err("LOG-14"), "tree");
    assert_eq!(read(|bytes| bytes[163] = 2), Err("LOG-14"), "neither live nor gone");
    assert_eq!(read(|bytes| bytes[199] = 2), Err("LOG-14"), "neither live nor gone");
    assert_eq!(read(|bytes| bytes[202] = 1), Err("LOG-14"), "a tombstone with a value");
    assert_eq!(read(|bytes| bytes[223] = 1), Err("LOG-14"), "padding");
    assert_eq!(read(|bytes| bytes.resize(240, 0)), Err("LOG-14"), "a padding of 26 bytes");
    assert_eq!(read(|bytes| bytes[164] = 0), Err("LOG-14"), "no key");
}

/// Rows of the greatest lengths are read; a byte more, or a row more, is refused by reader and writer.
#[test]
fn limits_of_rows_hold_at_the_edge() {
    let sim = Sim::new(1);
    let place = place(&sim);
    let row = |key: usize, value: usize| RowChange {
        tree: Tree::Blobs,
        key: vec![1; key].into(),
        value: Some(vec![2; value].into()),
    };
    let encode = |rows: Vec<RowChange>| {
        let frame = Model::default().frame(&[rows]);
        frame::encode(&place, &frame, SPOT, &[0; 32]).map(|(bytes, _)| bytes)
    };
    let counted = |count: usize| (0..count as u64).map(|key| put(Tree::Keys, key, 1, 1)).collect();
    let (key, value) = (frame::KEY_BYTES_MAX, frame::VALUE_BYTES_MAX);
    for rows in [vec![row(key, value)], vec![row(1, 0)], counted(SET_ROWS_MAX), vec![]] {
        let count = rows.len();
        let bytes = encode(rows).unwrap();
        assert!(frame::authenticate(&place, &bytes, SPOT).is_ok());
        let mut visited = 0;
        let whole = frame::visit_rows(&bytes, &mut |_| {
            visited += 1;
            Ok(())
        });
        assert!(whole.is_ok() && visited == count + 1);
    }
    for rows in
        [vec![row(key + 1, 1)], vec![row(0, 1)], vec![row(1, value + 1)], counted(SET_ROWS_MAX + 1)]
    {
        assert!(matches!(encode(rows), Err(LogError::Refused { .. })));
    }
    // The reader alone: a longer key and a longer value than a writer makes.
    for (at, len) in [(164, 65_u32), (166, u32::try_from(value).unwrap() + 1)] {
        let outcome = read(|bytes| {
            let fields = if at == 164 { &len.to_le_bytes()[..2] } else { &len.to_le_bytes() };
            bytes[at..at + fields.len()].copy_from_slice(fields);
            bytes.truncate(170);
            bytes.resize(170 + 8 + value + 14, 1);
        });
        assert_eq!(outcome, Err("LOG-14"));
    }
}

/// The most sets that a frame has, one more, none, and LSNs that do not follow each other.
#[test]
fn limits_of_sets_hold_at_the_edge() {
    let sim = Sim::new(1);
    let place = place(&sim);
    let sets = |count: usize| Model::default().frame(&vec![vec![]; count]);
    let encode = |frame: &Frame| frame::encode(&place, frame, SPOT, &[0; 32]);
    let (bytes, _) = encode(&sets(frame::FRAME_SETS_MAX)).unwrap();
    assert!(frame::authenticate(&place, &bytes, SPOT).is_ok());
    let mut gap = sets(3);
    gap.sets[2].lsn = Lsn(4);
    let mut early = sets(1);
    early.sets[0].lsn = Lsn(0);
    for refused in [sets(frame::FRAME_SETS_MAX + 1), sets(0), gap, early] {
        assert!(matches!(encode(&refused), Err(LogError::Refused { .. })));
    }
    // The reader alone.
    let mut signed = bytes;
    signed.truncate(signed.len() - TAG_BYTES);
    signed[40..48].copy_from_slice(&257_u64.to_le_bytes());
    signed[152..156].copy_from_slice(&257_u32.to_le_bytes());
    let tag = place.tag(frame::DOMAIN, &[&signed]);
    signed.extend_from_slice(&tag);
    assert_eq!(frame::authenticate(&place, &signed, SPOT), Err("LOG-14"));
}

fn tail() -> Tail {
    let end = End { lsn: Lsn(9), digest: [3; 32], keystore_generation: 1, clock: note(5) };
    Tail { segment: 2, id: [4; 16], offset: 4096, end, tag: [6; 32] }
}

/// Each part of a place counts; clock and keystore generation do not.
#[test]
fn a_place_in_the_chain_is_all_of_its_parts() {
    let same = |change: fn(&mut Tail)| {
        let mut other = tail();
        change(&mut other);
        tail().same_place(&other)
    };
    assert!(same(|_| ()));
    assert!(same(|tail| tail.end.clock = note(6)));
    assert!(same(|tail| tail.end.keystore_generation = 2));
    assert!(!same(|tail| tail.segment += 1));
    assert!(!same(|tail| tail.id[0] ^= 1));
    assert!(!same(|tail| tail.offset += 16));
    assert!(!same(|tail| tail.tag[0] ^= 1));
    assert!(!same(|tail| tail.end.lsn = Lsn(10)));
    assert!(!same(|tail| tail.end.digest[0] ^= 1));
}

/// LOG-3, LOG-4: a segment's header that is signed and not what a writer makes.
#[test]
fn a_signed_header_that_no_writer_makes_is_refused() {
    let sim = Sim::new(1);
    let place = place(&sim);
    drop(create(&sim.env()).unwrap());
    let header = SegmentHeader { number: 3, id: [1; 16], capacity: 8192, previous: tail() };
    let open = |header: &SegmentHeader, change: &dyn Fn(&mut Vec<u8>), len: usize| {
        let mut bytes = header.encode(&place);
        bytes.truncate(bytes.len() - TAG_BYTES);
        change(&mut bytes);
        let mut bytes = segment::seal_block(&place, segment::DOMAIN, bytes, segment::HEADER_BYTES);
        bytes.resize(len, 0);
        let _ = sim.fs.delete(&super::segment(3));
        let file = sim.env().fs.open(&super::segment(3), OpenMode::CreateNew).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        match Segment::open(&place, 3, OpenMode::Read) {
            Ok(found) => {
                assert_eq!(found.header, *header);
                "read"
            }
            Err(LogError::Damaged(damage)) => damage.rule,
            Err(LogError::NewerFormat { .. }) => "newer",
            Err(other) => panic!("{other}"),
        }
    };
    let none: &dyn Fn(&mut Vec<u8>) = &|_| ();
    let with = |change: fn(&mut SegmentHeader)| {
        let mut header = header.clone();
        change(&mut header);
        header
    };
    assert_eq!(open(&header, none, 8192), "read");
    assert_eq!(open(&header, none, 9000), "read", "a file that is longer than what is used of it");
    assert_eq!(open(&header, none, 8191), "LOG-3");
    assert_eq!(open(&header, none, 4095), "LOG-3");
    assert_eq!(open(&with(|header| header.number = 4), none, 8192), "LOG-4");
    assert_eq!(open(&with(|header| header.previous.segment = 3), none, 8192), "LOG-4");
    assert_eq!(open(&with(|header| header.capacity = 4095), none, 8192), "LOG-4");
    assert_eq!(open(&with(|header| header.capacity = 4096), none, 8192), "read");
    assert_eq!(open(&with(|header| header.capacity = u64::MAX), none, 8192), "LOG-4");
    assert_eq!(open(&header, &|bytes| bytes[0] ^= 1, 8192), "LOG-4", "magic");
    assert_eq!(open(&header, &|bytes| bytes[8] = 2, 8192), "newer");
    assert_eq!(open(&header, &|bytes| bytes[8] = 0, 8192), "LOG-4", "format");
    assert_eq!(open(&header, &|bytes| bytes[12] = 1, 8192), "LOG-4", "zero field");
    assert_eq!(open(&header, &|bytes| bytes[16] ^= 1, 8192), "LOG-4", "vault");
    assert_eq!(open(&header, &|bytes| bytes[4063] = 1, 8192), "LOG-4", "zeros");
}

/// MAN-4: numbers that do not fit together, though they are signed.
#[test]
fn a_signed_manifest_whose_numbers_do_not_fit_is_refused() {
    let sim = Sim::new(1);
    let place = place(&sim);
    let record = |number: u64, segment: u64, lsn: u64| {
        let mut tail = tail();
        tail.segment = segment;
        tail.end.lsn = Lsn(lsn);
        SnapshotRecord { number, id: [1; 16], rows: 3, bytes: 5000, tag: [2; 32], tail }
    };
    let mark = |segment: u64, lsn: u64| Some(record(0, segment, lsn).tail);
    let good = Manifest {
        generation: 8,
        first: 4,
        last: 6,
        next_snapshot: 3,
        snapshot: record(2, 5, 50),
        previous: Some(record(1, 3, 30)),
        mark: mark(6, 60),
    };
    let reads = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        match Manifest::decode(&place, &manifest.encode(&place), 8) {
            Ok(read) => read == manifest,
            Err(LogError::Damaged(damage)) if damage.rule == "MAN-3" => false,
            Err(other) => panic!("{other}"),
        }
    };
    assert!(reads(&|_| ()));
    assert!(!reads(&|manifest| manifest.generation = 9));
    assert!(reads(&|manifest| (manifest.last, manifest.mark) = (5, None)));
    assert!(!reads(&|manifest| (manifest.last, manifest.mark) = (4, None)));
    assert!(!reads(&|manifest| manifest.last = 7), "a mark elsewhere");
    assert!(reads(&|manifest| manifest.first = 1));
    assert!(!reads(&|manifest| manifest.first = 0));
    assert!(!reads(&|manifest| manifest.first = 5), "past what the older snapshot needs");
    assert!(reads(&|manifest| (manifest.first, manifest.previous) = (6, None)));
    assert!(!reads(&|manifest| (manifest.first, manifest.previous) = (7, None)));
    assert!(!reads(&|manifest| manifest.next_snapshot = 2));
    assert!(!reads(&|manifest| manifest.previous = Some(record(2, 3, 30))));
    assert!(reads(&|manifest| manifest.previous = Some(record(1, 5, 50))));
    assert!(!reads(&|manifest| manifest.previous = Some(record(1, 6, 50))));
    assert!(!reads(&|manifest| manifest.previous = Some(record(1, 5, 51))));
    assert!(reads(&|manifest| manifest.mark = mark(6, 50)));
    assert!(!reads(&|manifest| manifest.mark = mark(6, 49)));
    assert!(!reads(&|manifest| manifest.mark = mark(5, 60)));
}

/// An end is proven by a mark, or by a manifest that names no segment behind its snapshot.
#[test]
fn a_manifest_proves_an_end_only_where_no_frame_can_follow() {
    let (_, log) = fresh(60);
    let mut manifest = log.manifest.clone();
    manifest.last = manifest.snapshot.tail.segment;
    manifest.mark = None;
    assert_eq!(manifest.proven_end(), Some(manifest.snapshot.tail.end.clone()));
    manifest.last += 1;
    assert_eq!(manifest.proven_end(), None);
    manifest.mark = Some(tail());
    assert_eq!(manifest.proven_end(), Some(tail().end));
}

/// SNAP-4 to SNAP-6: blocks with the right MACs that no writer makes.
#[cfg(feature = "internals")]
#[test]
fn a_signed_snapshot_that_no_writer_makes_is_refused() {
    let sim = Sim::new(1);
    let place = place(&sim);
    drop(create(&sim.env()).unwrap());
    let row = |key: u64, value: usize| {
        let mut bytes = Vec::new();
        frame::encode_row(Tree::Blobs, &key.to_be_bytes(), Some(&vec![1; value]), &mut bytes);
        bytes
    };
    let read_bytes_as = |bytes: &[u8], rows: u64, id: [u8; 16]| {
        let tag = bytes.last_chunk().copied().unwrap();
        let _ = sim.fs.delete(&super::snapshot(1));
        let file = sim.env().fs.open(&super::snapshot(1), OpenMode::CreateNew).unwrap();
        file.write_all_at(bytes, 0).unwrap();
        let len = bytes.len() as u64;
        let record = SnapshotRecord { number: 1, id, rows, bytes: len, tag, tail: tail() };
        let read = || {
            let mut reader = SnapshotReader::open(&place, &record)?;
            let mut rows = 0;
            while reader.next()?.is_some() {
                rows += 1;
            }
            Ok(rows)
        };
        match read() {
            Ok(rows) => Ok(rows),
            Err(LogError::Damaged(damage)) => Err(damage.rule),
            Err(other) => panic!("{other}"),
        }
    };
    let read_bytes = |bytes: &[u8], rows: u64| read_bytes_as(bytes, rows, [2; 16]);
    let sealed = |blocks: &[(u32, Vec<u8>)], rows: u64| {
        snapshot::sealed(&place, 1, [2; 16], &tail(), blocks, rows).0
    };
    let read = |blocks: &[(u32, Vec<u8>)], rows: u64| read_bytes(&sealed(blocks, rows), rows);
    let two = [row(1, 9), row(2, 9)].concat();
    let room = |len: usize| len - 16;
    assert_eq!(read(&[], 0), Ok(0));
    assert_eq!(read(&[(2, two.clone()), (1, row(3, 0))], 3), Ok(3));
    assert_eq!(read(&[(1, row(1, frame::VALUE_BYTES_MAX))], 1), Ok(1));
    assert_eq!(read(&[(2, [row(1, room(40_000)), row(2, room(25_536))].concat())], 2), Ok(2));
    let large = [row(1, room(40_000)), row(2, room(25_537))].concat();
    assert_eq!(read(&[(2, large)], 2), Err("SNAP-4"), "two rows, more than 64 KiB");
    assert_eq!(read(&[(1, vec![0; frame::VALUE_BYTES_MAX + 1025])], 1), Err("SNAP-4"));
    assert_eq!(read(&[(0, vec![])], 0), Err("SNAP-4"), "an empty block");
    assert_eq!(read(&[(1, two.clone())], 1), Err("SNAP-5"), "a row that is not counted");
    assert_eq!(read(&[(3, two.clone())], 3), Err("SNAP-5"), "a row that is not there");
    assert_eq!(read(&[(2, two.clone()), (1, row(2, 9))], 3), Err("SNAP-5"), "not rising");
    assert_eq!(read(&[(2, [row(2, 9), row(1, 9)].concat())], 2), Err("SNAP-5"), "not rising");
    let mut gone = row(1, 0);
    gone[1] = 0;
    assert_eq!(read(&[(1, gone)], 1), Err("SNAP-5"), "a tombstone");
    assert_eq!(read(&[(2, two.clone())], 3), Err("SNAP-6"), "rows of the footer");
    assert_eq!(read(&[(2, two.clone())], 1), Err("SNAP-6"), "rows of the footer");
    assert_eq!(read_bytes_as(&sealed(&[], 0), 0, [9; 16]), Err("SNAP-2"), "another's id");
    assert_eq!(
        read_bytes(&sealed(&[(2, two.clone())], 2), 3),
        Err("SNAP-6"),
        "another count of rows"
    );
    let mut bytes = sealed(&[], 0);
    bytes[segment::HEADER_BYTES - TAG_BYTES - 1] = 1;
    bytes.drain(segment::HEADER_BYTES - TAG_BYTES..segment::HEADER_BYTES);
    let tag =
        place.tag("strongroom/log/snapshot/v1", &[&bytes[..segment::HEADER_BYTES - TAG_BYTES]]);
    bytes.splice(segment::HEADER_BYTES - TAG_BYTES..segment::HEADER_BYTES - TAG_BYTES, tag);
    assert_eq!(read_bytes(&bytes, 0), Err("SNAP-2"), "zeros of the header");

    // The footer's MAC is the name of the whole: one that is good, and not the manifest's, is another's.
    let bytes = sealed(&[(2, two.clone())], 2);
    let file = sim.env().fs.open(&super::snapshot(1), OpenMode::Existing).unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    let len = bytes.len() as u64;
    let record =
        SnapshotRecord { number: 1, id: [2; 16], rows: 2, bytes: len, tag: [0; 32], tail: tail() };
    let refused = SnapshotReader::open(&place, &record).err();
    assert!(matches!(refused, Some(LogError::Damaged(damage)) if damage.rule == "SNAP-6"));

    // One block; its index or the footer's count of blocks is another, and all is signed again.
    for (index, blocks, outcome) in
        [(0, 1, Ok(2)), (1, 1, Err("SNAP-4")), (0, 2, Err("SNAP-6")), (0, 0, Err("SNAP-6"))]
    {
        let mut bytes = sealed(&[(2, two.clone())], 2);
        let (at, end) = (segment::HEADER_BYTES, bytes.len() - 64);
        bytes[at + 8] = index;
        bytes[end + 16] = blocks;
        let sign = |domain, from: usize, to: usize, bytes: &mut Vec<u8>| {
            let tag = place.tag(domain, &[&[2; 16], &bytes[from - 32..from], &bytes[from..to]]);
            bytes[to..to + 32].copy_from_slice(&tag);
        };
        sign("strongroom/log/snapshot-block/v1", at, end - 32, &mut bytes);
        sign("strongroom/log/snapshot-end/v1", end, end + 32, &mut bytes);
        assert_eq!(read_bytes(&bytes, 2), outcome, "{index} {blocks}");
    }
}

/// SNAP-4, SNAP-5: rows rise, and a block is filled to its last byte.
#[test]
fn a_snapshot_is_written_in_one_way() {
    use super::super::snapshot::SnapshotWriter;
    let sim = Sim::new(1);
    let place = place(&sim);
    drop(create(&sim.env()).unwrap());
    let bytes_of = |values: &[usize]| {
        let mut writer = SnapshotWriter::create(&place, 5, tail()).unwrap();
        for (key, value) in (0_u64..).zip(values) {
            writer.push(Tree::Blobs, &key.to_be_bytes(), &vec![1; *value]).unwrap();
        }
        writer.finish().unwrap().bytes
    };
    let block = |payload: u64| 16 + payload + 32;
    assert_eq!(bytes_of(&[40_000 - 16, 25_536 - 16]), 4096 + block(65_536) + 64);
    assert_eq!(bytes_of(&[40_000 - 16, 25_537 - 16]), 4096 + block(40_000) + block(25_537) + 64);
    let mut writer = SnapshotWriter::create(&place, 5, tail()).unwrap();
    writer.push(Tree::Blobs, &[2], &[]).unwrap();
    for key in [[2], [1]] {
        assert!(matches!(writer.push(Tree::Blobs, &key, &[]), Err(LogError::Refused { .. })));
    }
    writer.push(Tree::Blobs, &[3], &[]).unwrap();
}

/// LOG-13: a good frame that does not follow the one before it, by its MAC or by its LSN.
#[test]
fn a_signed_frame_that_does_not_follow_is_damage() {
    for (other_tag, other_lsn) in [(false, false), (true, false), (false, true)] {
        let (sim, mut log) = fresh(61);
        let mut model = Model::default();
        steps(&mut log, &mut model, 2);
        let spot = Spot { segment: log.tail.id, offset: log.tail.offset };
        let previous = if other_tag { [1; 32] } else { log.tail.tag };
        model.lsn += u64::from(other_lsn);
        let (bytes, _) = frame::encode(&log.place, &model.step(), spot, &previous).unwrap();
        drop(log);
        sim.fs.overwrite(&super::segment(1), spot.offset, &bytes).unwrap();
        match open(&sim.env()) {
            Ok(found) => assert!(!other_tag && !other_lsn && found.end().lsn.0 == model.lsn),
            Err(LogError::Damaged(damage)) => {
                assert!(other_tag || other_lsn);
                assert_eq!((damage.rule, damage.offset), ("LOG-13", spot.offset));
            }
            Err(other) => panic!("{other}"),
        }
    }
}
