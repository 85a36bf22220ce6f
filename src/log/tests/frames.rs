//! Frames that have a right MAC and are still not what a writer makes are refused: each rule by
//! itself, at its edge.

use super::*;
use crate::log::error::LogError;
use crate::log::format::frame::{
    self, ALIGN, FrameError, FramePosition, HEADER_BYTES, SET_ROWS_MAX, TAG_BYTES,
};

const SPOT: FramePosition = FramePosition { segment: [5; 16], offset: 4096 };

/// A frame of one set with a row of 20 bytes and a tombstone: rows at 162 and 198, padding at 214.
fn rows() -> Frame {
    let mut row = put(Tree::Blobs, 1, 1, 20);
    row.value = Some(vec![7; 20].into());
    Model::default().frame(&[vec![row, gone(Tree::Tokens, 2)]])
}

/// The good frame, changed and signed again, as it is read.
fn read(change: impl FnOnce(&mut Vec<u8>)) -> Result<usize, &'static str> {
    let sim = Sim::new(1);
    let context = context(&sim);
    let (mut bytes, _) = frame::encode(&context, &rows(), SPOT, &[0; 32]).unwrap();
    bytes.truncate(bytes.len() - TAG_BYTES);
    change(&mut bytes);
    let len = u32::try_from(bytes.len() + TAG_BYTES).unwrap();
    bytes[4..8].copy_from_slice(&len.to_le_bytes());
    let tag = context.tag(frame::DOMAIN, &[&bytes]);
    bytes.extend_from_slice(&tag);
    frame::authenticate(&context, &bytes, SPOT)?;
    let mut visited = 0;
    let outcome = frame::visit_rows(&bytes, &mut |_| {
        visited += 1;
        Ok(())
    });
    match outcome {
        Ok(()) => Ok(visited),
        Err(FrameError::Format) => Err("LOG-14"),
        Err(FrameError::Visitor(error)) => panic!("{error}"),
    }
}

/// LOG-11, LOG-14: a frame is written in one way.
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
    assert_eq!(read(|bytes| bytes[156] = 1), Err("LOG-14"), "an audit record");
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
    let context = context(&sim);
    let row = |key: usize, value: usize| RowChange {
        tree: Tree::Blobs,
        key: vec![1; key].into(),
        value: Some(vec![2; value].into()),
    };
    let encode = |rows: Vec<RowChange>| {
        let frame = Model::default().frame(&[rows]);
        frame::encode(&context, &frame, SPOT, &[0; 32]).map(|(bytes, _)| bytes)
    };
    let counted =
        |count: usize| (0..count as u64).map(|key| put(Tree::Tokens, key, 1, 1)).collect();
    let (key, value) = (KEY_BYTES_MAX, VALUE_BYTES_MAX);
    for rows in [vec![row(key, value)], vec![row(1, 0)], counted(SET_ROWS_MAX), vec![]] {
        let count = rows.len();
        let bytes = encode(rows).unwrap();
        assert!(frame::authenticate(&context, &bytes, SPOT).is_ok());
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
    let context = context(&sim);
    let sets = |count: usize| Model::default().frame(&vec![vec![]; count]);
    let encode = |frame: &Frame| frame::encode(&context, frame, SPOT, &[0; 32]);
    let (bytes, _) = encode(&sets(frame::FRAME_SETS_MAX)).unwrap();
    assert!(frame::authenticate(&context, &bytes, SPOT).is_ok());
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
    let tag = context.tag(frame::DOMAIN, &[&signed]);
    signed.extend_from_slice(&tag);
    assert_eq!(frame::authenticate(&context, &signed, SPOT), Err("LOG-14"));
}

/// LOG-13: a good frame that does not follow the one before it, by its MAC or by its LSN.
#[test]
fn a_signed_frame_that_does_not_follow_is_damage() {
    for (other_tag, other_lsn) in [(false, false), (true, false), (false, true)] {
        let (sim, mut log) = fresh(61);
        let mut model = Model::default();
        steps(&mut log, &mut model, 2);
        let position = FramePosition { segment: log.tail.id, offset: log.tail.offset };
        let previous = if other_tag { [1; 32] } else { log.tail.tag };
        model.lsn += u64::from(other_lsn);
        let (bytes, _) = frame::encode(&log.context, &model.step(), position, &previous).unwrap();
        drop(log);
        sim.fs.overwrite(&super::segment(1), position.offset, &bytes).unwrap();
        match open(&sim.env()) {
            Ok(found) => assert!(!other_tag && !other_lsn && found.end().lsn.0 == model.lsn),
            Err(LogError::Damaged(damage)) => {
                assert!(other_tag || other_lsn);
                assert_eq!((damage.rule, damage.offset), ("LOG-13", position.offset));
            }
            Err(other) => panic!("{other}"),
        }
    }
}
