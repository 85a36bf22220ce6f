//! Headers, manifests and snapshots that have a right MAC and are still not what a writer makes are
//! refused: each rule by itself, at its edge.

use super::*;
use crate::env::OpenMode;
use crate::log::error::LogError;
use crate::log::format::frame::TAG_BYTES;
use crate::log::format::header_block::{HEADER_BYTES, seal_block};
use crate::log::format::manifest::Manifest;
use crate::log::format::rows::encode_row;
use crate::log::format::segment::{self, Segment, SegmentHeader};
#[cfg(feature = "__internals")]
use crate::log::format::snapshot::{self, SnapshotReader};
use crate::log::format::snapshot::{SnapshotRecord, SnapshotWriter};
use crate::log::format::tail::Tail;

/// Bytes of an entry of a snapshot's index for a key of 8 bytes.
const INDEX_ENTRY: usize = 44 + 8;

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

/// LOG-3 to LOG-5: a segment's header that is signed and not what a writer makes.
#[test]
fn a_signed_header_that_no_writer_makes_is_refused() {
    let sim = Sim::new(1);
    let context = context(&sim);
    drop(create(&sim.env()).unwrap());
    let header = SegmentHeader { number: 3, id: [1; 16], capacity: 8192, previous: tail() };
    let open = |header: &SegmentHeader, change: &dyn Fn(&mut Vec<u8>), len: usize| {
        let mut bytes = header.encode(&context);
        bytes.truncate(bytes.len() - TAG_BYTES);
        change(&mut bytes);
        let mut bytes = seal_block(&context, segment::DOMAIN, bytes, HEADER_BYTES);
        bytes.resize(len, 0);
        let _ = sim.fs.delete(&super::segment(3));
        let file = sim.env().fs.open(&super::segment(3), OpenMode::CreateNew).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        match Segment::open(&context, 3, OpenMode::Read) {
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
    let context = context(&sim);
    let record = |number: u64, segment: u64, lsn: u64| {
        let mut tail = tail();
        tail.segment = segment;
        tail.end.lsn = Lsn(lsn);
        SnapshotRecord { number, id: [1; 16], rows: 3, bytes: 5000, tag: [2; 32], tail }
    };
    let mark = |segment: u64, lsn: u64| Some(record(0, segment, lsn).tail);
    let good = Manifest {
        format: RowFormat::NEWEST,
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
        match Manifest::decode(&context, 2, &manifest.encode(&context), 8) {
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

/// SNAP-2 and SNAP-4 to SNAP-6: headers, blocks and footers with the right MACs that no writer makes.
#[cfg(feature = "__internals")]
#[test]
fn a_signed_snapshot_that_no_writer_makes_is_refused() {
    let sim = Sim::new(1);
    let context = context(&sim);
    drop(create(&sim.env()).unwrap());
    let row = |key: u64, value: usize| {
        let mut bytes = Vec::new();
        encode_row(Tree::Blobs, &key.to_be_bytes(), Some(&vec![1; value]), &mut bytes);
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
            let mut reader = SnapshotReader::open(&context, &record)?;
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
        snapshot::sealed(&context, 1, [2; 16], &tail(), blocks, rows).0
    };
    let read = |blocks: &[(u32, Vec<u8>)], rows: u64| read_bytes(&sealed(blocks, rows), rows);
    let two = [row(1, 9), row(2, 9)].concat();
    let room = |len: usize| len - 16;
    assert_eq!(read(&[], 0), Ok(0));
    assert_eq!(read(&[(2, two.clone()), (1, row(3, 0))], 3), Ok(3));
    assert_eq!(read(&[(1, row(1, VALUE_BYTES_MAX))], 1), Ok(1));
    assert_eq!(read(&[(2, [row(1, room(40_000)), row(2, room(25_536))].concat())], 2), Ok(2));
    let large = [row(1, room(40_000)), row(2, room(25_537))].concat();
    assert_eq!(read(&[(2, large)], 2), Err("SNAP-4"), "two rows, more than 64 KiB");
    assert_eq!(read(&[(1, vec![0; VALUE_BYTES_MAX + 1025])], 1), Err("SNAP-4"));
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
    bytes[HEADER_BYTES - TAG_BYTES - 1] = 1;
    bytes.drain(HEADER_BYTES - TAG_BYTES..HEADER_BYTES);
    let tag = context.tag("strongroom/log/snapshot/v1", &[&bytes[..HEADER_BYTES - TAG_BYTES]]);
    bytes.splice(HEADER_BYTES - TAG_BYTES..HEADER_BYTES - TAG_BYTES, tag);
    assert_eq!(read_bytes(&bytes, 0), Err("SNAP-2"), "zeros of the header");

    // The footer's MAC is the name of the whole: one that is good, and not the manifest's, is another's.
    let bytes = sealed(&[(2, two.clone())], 2);
    let file = sim.env().fs.open(&super::snapshot(1), OpenMode::Existing).unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    let len = bytes.len() as u64;
    let record =
        SnapshotRecord { number: 1, id: [2; 16], rows: 2, bytes: len, tag: [0; 32], tail: tail() };
    let refused = SnapshotReader::open(&context, &record).err();
    assert!(matches!(refused, Some(LogError::Damaged(damage)) if damage.rule == "SNAP-6"));

    // One block; its index or the footer's count of blocks is another, and all is signed again.
    for (index, blocks, outcome) in
        [(0, 1, Ok(2)), (1, 1, Err("SNAP-4")), (0, 2, Err("SNAP-6")), (0, 0, Err("SNAP-9"))]
    {
        let mut bytes = sealed(&[(2, two.clone())], 2);
        let (at, footer) = (HEADER_BYTES, bytes.len() - 80);
        let end = footer - INDEX_ENTRY;
        bytes[at + 8] = index;
        bytes[footer + 16] = blocks;
        let block = [&[2; 16], &bytes[at - 32..at], &bytes[at..end - 32]];
        let tag = context.tag("strongroom/log/snapshot-block/v1", &block);
        bytes[end - 32..end].copy_from_slice(&tag);
        bytes[end + 12..end + 44].copy_from_slice(&tag);
        let whole = [&[2; 16], &tag[..], &bytes[end..footer], &bytes[footer..footer + 48]];
        let tag = context.tag("strongroom/log/snapshot-end/v2", &whole);
        bytes[footer + 48..].copy_from_slice(&tag);
        assert_eq!(read_bytes(&bytes, 2), outcome, "{index} {blocks}");
    }
}

/// SNAP-4, SNAP-5: rows rise, and a block is filled to its last byte.
#[test]
fn a_snapshot_is_written_in_one_way() {
    let sim = Sim::new(1);
    let context = context(&sim);
    drop(create(&sim.env()).unwrap());
    let bytes_of = |values: &[usize], format| {
        let mut writer = SnapshotWriter::create(&context, 5, tail(), format).unwrap();
        for (key, value) in (0_u64..).zip(values) {
            writer.push(Tree::Blobs, &key.to_be_bytes(), &vec![1; *value]).unwrap();
        }
        writer.finish().unwrap().bytes
    };
    let block = |payload: u64| 16 + payload + 32;
    let (one, two) = ([40_000 - 16, 25_536 - 16], [40_000 - 16, 25_537 - 16]);
    let (in_one, in_two) = (4096 + block(65_536), 4096 + block(40_000) + block(25_537));
    assert_eq!(bytes_of(&one, RowFormat::One), in_one + 64);
    assert_eq!(bytes_of(&two, RowFormat::One), in_two + 64);
    let entry = INDEX_ENTRY as u64;
    assert_eq!(bytes_of(&one, RowFormat::Two), in_one + entry + 80);
    assert_eq!(bytes_of(&two, RowFormat::Two), in_two + 2 * entry + 80);
    let mut writer = SnapshotWriter::create(&context, 5, tail(), RowFormat::NEWEST).unwrap();
    writer.push(Tree::Blobs, &[2], &[]).unwrap();
    for key in [[2], [1]] {
        assert!(matches!(writer.push(Tree::Blobs, &key, &[]), Err(LogError::Refused { .. })));
    }
    writer.push(Tree::Blobs, &[3], &[]).unwrap();
}
