//! Blocks of rows, as the state keeps them (docs/STORE.md).

/// How the names of sled's trees end that have blocks.
pub const TREES_END: &str = " in blocks";

pub type Row = (Vec<u8>, Vec<u8>);

/// The rows of a block.
pub fn rows_of(mut block: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    while let [key_len, a, b, c, d, rest @ ..] = block {
        let value_len = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let (key, rest) = rest.split_at(usize::from(*key_len));
        let (value, rest) = rest.split_at(value_len);
        rows.push((key.to_vec(), value.to_vec()));
        block = rest;
    }
    rows
}

/// The block with one of its rows replaced by another of the same key; none if it does not have that row.
pub fn replace(block: &[u8], (key, value): (&[u8], &[u8]), new: &[u8]) -> Option<Vec<u8>> {
    let mut rows = rows_of(block);
    let is_it = |row: &&mut Row| row.0 == key && row.1 == value;
    rows.iter_mut().find(is_it)?.1 = new.to_vec();
    let mut block = Vec::new();
    for (key, value) in rows {
        block.push(u8::try_from(key.len()).unwrap());
        block.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        block.extend([key, value].concat());
    }
    Some(block)
}
