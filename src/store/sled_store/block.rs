//! A block: neighbouring rows of a tree in one value of sled.
//!
//! sled pays for each of its own rows, whatever its length: a search, a link, and every tenth time a whole
//! leaf. So rows are packed, and a flush that changes several neighbours writes them once.
//!
//! ```text
//! block   row, row, ...            in key order, each key once
//! row     key length (1) | value length (4, little-endian) | key | value
//! ```

/// Bytes of a full block, unless one row alone has more. sled's leaf has up to seventeen of them and stays
/// below 128 KiB, beyond which it would get a file of its own.
pub(super) const BLOCK_BYTES: usize = 4 << 10;
/// What a row takes besides its key and value.
const ROW_HEADER_BYTES: usize = 5;

/// Bytes are not a block, or a row does not fit into one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl From<Malformed> for sled::Error {
    /// As an error of sled it breaks the state (SL3).
    fn from(_: Malformed) -> Self {
        Self::ReportableBug("a block of the state is damaged".into())
    }
}

/// A row in a block, or a change to it: `None` removes the row.
pub(super) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// The rows of a block, in key order.
pub(super) struct BlockRows<'a>(&'a [u8]);

impl<'a> BlockRows<'a> {
    pub(super) fn of(block: &'a [u8]) -> Self {
        Self(block)
    }

    fn split(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let (key_len, rest) = self.0.split_first()?;
        let (value_len, rest) = rest.split_first_chunk()?;
        let value_len = usize::try_from(u32::from_le_bytes(*value_len)).ok()?;
        let (key, rest) = rest.split_at_checked(usize::from(*key_len))?;
        let (value, rest) = rest.split_at_checked(value_len)?;
        self.0 = rest;
        Some((key, value))
    }
}

impl<'a> Iterator for BlockRows<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let row = self.split();
        if row.is_none() {
            self.0 = &[];
        }
        Some(row.ok_or(Malformed))
    }
}

/// The value of a row in a block.
pub(super) fn find<'a>(block: &'a [u8], key: &[u8]) -> Result<Option<&'a [u8]>, Malformed> {
    for row in BlockRows::of(block) {
        let (found, value) = row?;
        if found >= key {
            return Ok((found == key).then_some(value));
        }
    }
    Ok(None)
}

/// A block while rows are added to it, in key order.
#[derive(Default)]
pub(super) struct BlockWriter {
    bytes: Vec<u8>,
    first: Option<Box<[u8]>>,
}

/// The first key of a block, and its bytes.
pub(super) type Written = (Box<[u8]>, Vec<u8>);

impl BlockWriter {
    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a row.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let key_len = u8::try_from(key.len()).map_err(|_| Malformed)?;
        let value_len = u32::try_from(value.len()).map_err(|_| Malformed)?;
        if self.first.is_none() {
            self.first = Some(key.into());
        }
        self.bytes.push(key_len);
        self.bytes.extend_from_slice(&value_len.to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    /// The block, if it has a row, and an empty one to go on with.
    pub(super) fn take(&mut self) -> Option<Written> {
        let first = self.first.take()?;
        Some((first, std::mem::take(&mut self.bytes)))
    }
}

/// What became of a block, and of the bytes of its rows.
pub(super) struct Merged {
    /// None: no row is left.
    pub(super) blocks: Vec<Written>,
    /// Bytes of keys and values that came.
    pub(super) came: u64,
    /// The same for those that went.
    pub(super) went: u64,
}

/// Merges changes, sorted by key and each key once, into a block.
pub(super) fn merge(block: &[u8], changes: &[Change<'_>]) -> Result<Merged, Malformed> {
    let mut rows: Vec<(&[u8], &[u8])> = Vec::new();
    let (mut came, mut went) = (0, 0);
    for (key, value) in changes {
        came += value.map_or(0, |value| row_bytes(key, value));
    }
    let mut changes = changes.iter().copied().peekable();
    for row in BlockRows::of(block) {
        let (key, value) = row?;
        while let Some(change) = changes.next_if(|(changed, _)| *changed < key) {
            rows.extend(put(change));
        }
        match changes.next_if(|(changed, _)| *changed == key) {
            None => rows.push((key, value)),
            Some(change) => {
                went += row_bytes(key, value);
                rows.extend(put(change));
            }
        }
    }
    rows.extend(changes.filter_map(put));
    Ok(Merged { blocks: pack(&rows)?, came, went })
}

/// The row that a change leaves.
fn put((key, value): Change<'_>) -> Option<(&[u8], &[u8])> {
    value.map(|value| (key, value))
}

/// Rows in as few blocks as they need, of about equal length: a block that was full is halved, so that both
/// halves have room for more.
fn pack(rows: &[(&[u8], &[u8])]) -> Result<Vec<Written>, Malformed> {
    let total: usize = rows.iter().map(|row| packed_len(*row)).sum();
    let mean = total.div_ceil(total.div_ceil(BLOCK_BYTES).max(1));
    let (mut blocks, mut writer) = (Vec::new(), BlockWriter::default());
    for row in rows {
        // The row goes where its middle belongs.
        if writer.len() + packed_len(*row) / 2 > mean
            || writer.len() + packed_len(*row) > BLOCK_BYTES
        {
            blocks.extend(writer.take());
        }
        writer.push(row.0, row.1)?;
    }
    blocks.extend(writer.take());
    Ok(blocks)
}

/// Bytes of a row in a block.
pub(super) fn packed_len((key, value): (&[u8], &[u8])) -> usize {
    ROW_HEADER_BYTES + key.len() + value.len()
}

/// Bytes of a row.
pub(super) fn row_bytes(key: &[u8], value: &[u8]) -> u64 {
    u64::try_from(key.len() + value.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn rows_of(blocks: &[Written]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows = blocks.iter().flat_map(|(_, block)| BlockRows::of(block));
        rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
    }

    /// Goal: a merge does what an ordered map does, and counts the bytes. Method: numbers that look random.
    #[test]
    fn a_merge_is_what_a_map_does() {
        let mut seed = 7_u64;
        let mut dice = |end: u16| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % usize::from(end)
        };
        for _ in 0..300 {
            let mut map = BTreeMap::new();
            for _ in 0..dice(30) {
                map.insert(vec![u8::try_from(dice(40)).unwrap()], vec![1; dice(900)]);
            }
            let mut writer = BlockWriter::default();
            for (key, value) in &map {
                writer.push(key, value).unwrap();
            }
            let block = writer.take().map(|(_, block)| block).unwrap_or_default();
            let mut changes = BTreeMap::new();
            for _ in 0..dice(20) {
                changes.insert(
                    vec![u8::try_from(dice(40)).unwrap()],
                    (dice(2) > 0).then(|| vec![2; dice(6000)]),
                );
            }
            let before: u64 = map.iter().map(|(key, value)| row_bytes(key, value)).sum();
            let given: Vec<Change<'_>> =
                changes.iter().map(|(key, value)| (&**key, value.as_deref())).collect();
            let merged = merge(&block, &given).unwrap();
            for (key, value) in &changes {
                match value {
                    Some(value) => map.insert(key.clone(), value.clone()),
                    None => map.remove(key),
                };
            }
            assert_eq!(rows_of(&merged.blocks), map.clone().into_iter().collect::<Vec<_>>());
            let after: u64 = map.iter().map(|(key, value)| row_bytes(key, value)).sum();
            assert_eq!(before + merged.came - merged.went, after);
            for (first, block) in &merged.blocks {
                let rows: Vec<_> = BlockRows::of(block).map(Result::unwrap).collect();
                assert_eq!(rows[0].0, &**first);
                assert!(block.len() <= BLOCK_BYTES || rows.len() == 1);
            }
            for key in 0..40 {
                let found =
                    merged.blocks.iter().find_map(|(_, block)| find(block, &[key]).unwrap());
                assert_eq!(found, map.get(&vec![key]).map(Vec::as_slice));
            }
        }
    }

    /// Goal: rows that come one after the other leave no block with a single row behind.
    #[test]
    fn a_full_block_is_halved() {
        let mut block = Vec::new();
        for row in 0..100_u8 {
            let merged = merge(&block, &[(&[row], Some(&[0; 100]))]).unwrap();
            if merged.blocks.len() > 1 {
                let lens: Vec<usize> = merged.blocks.iter().map(|(_, block)| block.len()).collect();
                assert!(lens.len() == 2 && lens[0].abs_diff(lens[1]) < 250, "{lens:?}");
                return;
            }
            block = merged.blocks[0].1.clone();
        }
        panic!("the block was never full");
    }

    #[test]
    fn bytes_that_are_no_block_are_refused() {
        let mut writer = BlockWriter::default();
        writer.push(b"key", b"value").unwrap();
        let block = writer.take().unwrap().1;
        for end in 1..block.len() {
            assert!(find(&block[..end], b"key").is_err());
            assert!(merge(&block[..end], &[]).is_err());
            assert!(BlockRows::of(&block[..end]).any(|row| row.is_err()));
        }
        assert!(writer.push(&[0; 300], b"").is_err());
    }
}
