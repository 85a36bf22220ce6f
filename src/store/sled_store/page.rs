//! A page: neighbouring rows of a tree in one value of sled.
//!
//! sled pays for each of its own rows, whatever its length: a search, a link, and every tenth time a whole
//! leaf. So rows are packed, and a flush that changes several neighbours writes them once.
//!
//! ```text
//! page   row, row, ...            in key order, each key once
//! row    key length (1) | value length (4, little-endian) | key | value
//! ```

use crate::store::StoreError;

/// Bytes of a full page, unless one row alone has more. sled's leaf has up to seventeen of them and stays
/// below 128 KiB, beyond which it would get a file of its own.
pub(super) const PAGE_BYTES: usize = 4 << 10;
/// What a row takes besides its key and value.
const ROW_HEADER_BYTES: usize = 5;

/// What is wrong with a page that is none.
const DAMAGED: StoreError = StoreError::Broken { what: "a page of the state is damaged" };

/// A row in a page, or a change to it: `None` removes the row.
pub(super) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// The rows of a page, in key order.
pub(super) struct PageRows<'a>(&'a [u8]);

impl<'a> PageRows<'a> {
    pub(super) fn of(page: &'a [u8]) -> Self {
        Self(page)
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

impl<'a> Iterator for PageRows<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let row = self.split();
        if row.is_none() {
            self.0 = &[];
        }
        Some(row.ok_or(DAMAGED))
    }
}

/// The value of a row in a page.
pub(super) fn find<'a>(page: &'a [u8], key: &[u8]) -> Result<Option<&'a [u8]>, StoreError> {
    for row in PageRows::of(page) {
        let (found, value) = row?;
        if found >= key {
            return Ok((found == key).then_some(value));
        }
    }
    Ok(None)
}

/// A page while rows are added to it, in key order.
#[derive(Default)]
pub(super) struct PageWriter {
    bytes: Vec<u8>,
    first: Option<Box<[u8]>>,
}

/// The first key of a page, and its bytes.
pub(super) type Written = (Box<[u8]>, Vec<u8>);

impl PageWriter {
    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a row.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let too_long = |_| StoreError::Broken { what: "a row is too long for a page" };
        let key_len = u8::try_from(key.len()).map_err(too_long)?;
        let value_len = u32::try_from(value.len()).map_err(too_long)?;
        if self.first.is_none() {
            self.first = Some(key.into());
        }
        self.bytes.push(key_len);
        self.bytes.extend_from_slice(&value_len.to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    /// The page, if it has a row, and an empty one to go on with.
    pub(super) fn take(&mut self) -> Option<Written> {
        let first = self.first.take()?;
        Some((first, std::mem::take(&mut self.bytes)))
    }
}

/// What became of a page, and of the bytes of its rows.
pub(super) struct Merged {
    /// None: no row is left.
    pub(super) pages: Vec<Written>,
    /// Bytes of keys and values that came.
    pub(super) came: u64,
    /// The same for those that went.
    pub(super) went: u64,
}

/// Merges changes, sorted by key and each key once, into a page.
pub(super) fn merge(page: &[u8], changes: &[Change<'_>]) -> Result<Merged, StoreError> {
    let mut rows: Vec<(&[u8], &[u8])> = Vec::new();
    let (mut came, mut went) = (0, 0);
    for (key, value) in changes {
        came += value.map_or(0, |value| row_bytes(key, value));
    }
    let mut changes = changes.iter().copied().peekable();
    for row in PageRows::of(page) {
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
    Ok(Merged { pages: pack(&rows)?, came, went })
}

/// The row that a change leaves.
fn put<'a>((key, value): Change<'a>) -> Option<(&'a [u8], &'a [u8])> {
    value.map(|value| (key, value))
}

/// Rows in as few pages as they need, of about equal length: a page that was full is halved, so that both
/// halves have room for more.
fn pack(rows: &[(&[u8], &[u8])]) -> Result<Vec<Written>, StoreError> {
    let total: usize = rows.iter().map(|row| packed_len(*row)).sum();
    let mean = total.div_ceil(total.div_ceil(PAGE_BYTES).max(1));
    let (mut pages, mut writer) = (Vec::new(), PageWriter::default());
    for row in rows {
        // The row goes where its middle belongs.
        if writer.len() + packed_len(*row) / 2 > mean || writer.len() + packed_len(*row) > PAGE_BYTES {
            pages.extend(writer.take());
        }
        writer.push(row.0, row.1)?;
    }
    pages.extend(writer.take());
    Ok(pages)
}

/// Bytes of a row in a page.
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

    fn rows_of(pages: &[Written]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows = pages.iter().flat_map(|(_, page)| PageRows::of(page));
        rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
    }

    /// Goal: a merge does what an ordered map does, and counts the bytes. Method: numbers that look random.
    #[test]
    fn a_merge_is_what_a_map_does() {
        let mut seed = 7_u64;
        let mut dice = |end: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % end
        };
        for _ in 0..300 {
            let mut map = BTreeMap::new();
            for _ in 0..dice(30) {
                map.insert(vec![dice(40) as u8], vec![1; dice(900) as usize]);
            }
            let mut writer = PageWriter::default();
            map.iter().for_each(|(key, value)| writer.push(key, value).unwrap());
            let page = writer.take().map(|(_, page)| page).unwrap_or_default();
            let mut changes = BTreeMap::new();
            for _ in 0..dice(20) {
                changes.insert(vec![dice(40) as u8], (dice(2) > 0).then(|| vec![2; dice(6000) as usize]));
            }
            let before: u64 = map.iter().map(|(key, value)| row_bytes(key, value)).sum();
            let given: Vec<Change<'_>> =
                changes.iter().map(|(key, value)| (&**key, value.as_deref())).collect();
            let merged = merge(&page, &given).unwrap();
            for (key, value) in &changes {
                match value {
                    Some(value) => map.insert(key.clone(), value.clone()),
                    None => map.remove(key),
                };
            }
            assert_eq!(rows_of(&merged.pages), map.clone().into_iter().collect::<Vec<_>>());
            let after: u64 = map.iter().map(|(key, value)| row_bytes(key, value)).sum();
            assert_eq!(before + merged.came - merged.went, after);
            for (first, page) in &merged.pages {
                let rows: Vec<_> = PageRows::of(page).map(Result::unwrap).collect();
                assert_eq!(rows[0].0, &**first);
                assert!(page.len() <= PAGE_BYTES || rows.len() == 1);
            }
            for key in 0..40 {
                let found = merged.pages.iter().find_map(|(_, page)| find(page, &[key]).unwrap());
                assert_eq!(found, map.get(&vec![key]).map(Vec::as_slice));
            }
        }
    }

    /// Goal: rows that come one after the other leave no page with a single row behind.
    #[test]
    fn a_full_page_is_halved() {
        let mut page = Vec::new();
        for row in 0..100_u8 {
            let merged = merge(&page, &[(&[row], Some(&[0; 100]))]).unwrap();
            if merged.pages.len() > 1 {
                let lens: Vec<usize> = merged.pages.iter().map(|(_, page)| page.len()).collect();
                assert!(lens.len() == 2 && lens[0].abs_diff(lens[1]) < 250, "{lens:?}");
                return;
            }
            page = merged.pages[0].1.clone();
        }
        panic!("the page was never full");
    }

    #[test]
    fn bytes_that_are_no_page_are_refused() {
        let mut writer = PageWriter::default();
        writer.push(b"key", b"value").unwrap();
        let page = writer.take().unwrap().1;
        for end in 1..page.len() {
            assert!(find(&page[..end], b"key").is_err());
            assert!(merge(&page[..end], &[]).is_err());
            assert!(PageRows::of(&page[..end]).any(|row| row.is_err()));
        }
        assert!(writer.push(&[0; 300], b"").is_err());
    }
}
