//! A keyed sum over a set of rows: updated row by row, compared as one digest (I6, ROW-6).
//!
//! ```text
//! sum    = sum over rows of HMAC(digest key, "row", tree, row key, value)   mod 2^256
//! digest = HMAC(digest key, "rows", sum, count, lsn)
//! ```
//!
//! The order of the rows does not matter: the commit pipeline updates the sum with a few additions,
//! and a rebuild computes the same sum over a scan. The sum never leaves memory, because an attacker
//! who sees sums could look for rows that cancel out.

use super::MacKey;
use crate::model::{Lsn, Tree};
use hmac::Mac;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The sum of a set of rows. No `Debug`: it is secret.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SetSum {
    /// Little-endian lanes of 256 bits.
    lanes: [u64; 4],
    rows: u64,
}

impl SetSum {
    /// No row at all.
    #[must_use]
    pub fn empty() -> Self {
        Self { lanes: [0; 4], rows: 0 }
    }

    /// Adds a live row. Rows of trees that the digest does not cover change nothing.
    pub fn add(&mut self, key: &MacKey, tree: Tree, row_key: &[u8], value: &[u8]) {
        if let Some(share) = RowShare::of(key, tree, row_key, value) {
            self.add_share(&share);
        }
    }

    /// Adds a row by its share.
    pub fn add_share(&mut self, share: &RowShare) {
        self.add_lanes(share.0);
        self.rows = self.rows.wrapping_add(1);
    }

    /// Removes a row that was added, with the value that it had then.
    pub fn remove(&mut self, key: &MacKey, tree: Tree, row_key: &[u8], value: &[u8]) {
        if let Some(share) = RowShare::of(key, tree, row_key, value) {
            self.remove_share(&share);
        }
    }

    /// Removes a row that was added, by its share.
    pub fn remove_share(&mut self, share: &RowShare) {
        let mut borrow = false;
        for (lane, subtrahend) in self.lanes.iter_mut().zip(share.0) {
            let (rest, under) = lane.overflowing_sub(subtrahend);
            let (rest, under_again) = rest.overflowing_sub(u64::from(borrow));
            *lane = rest;
            borrow = under || under_again;
        }
        self.rows = self.rows.wrapping_sub(1);
    }

    /// Adds all rows of another sum, which shares none with this one.
    pub fn merge(&mut self, other: &Self) {
        self.add_lanes(other.lanes);
        self.rows = self.rows.wrapping_add(other.rows);
    }

    fn add_lanes(&mut self, addends: [u64; 4]) {
        let mut carry = false;
        for (lane, addend) in self.lanes.iter_mut().zip(addends) {
            let (sum, over) = lane.overflowing_add(addend);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            *lane = sum;
            carry = over || over_again;
        }
    }

    /// The digest of the set as it is after `lsn`. Unlike the sum, it may be published.
    #[must_use]
    pub fn digest(&self, key: &MacKey, lsn: Lsn) -> [u8; 32] {
        let mut sum = zeroize::Zeroizing::new([0; 32]);
        for (bytes, lane) in sum.chunks_exact_mut(8).zip(self.lanes) {
            bytes.copy_from_slice(&lane.to_le_bytes());
        }
        key.mac("rows", &[sum.as_slice(), &self.rows.to_le_bytes(), &lsn.0.to_le_bytes()])
    }

    /// The number of rows in the set.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// What one row adds to the sum. Like the sum, it never leaves memory.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RowShare([u64; 4]);

impl RowShare {
    /// The share of a row. `None`: the digest does not cover its tree.
    #[must_use]
    pub fn of(key: &MacKey, tree: Tree, row_key: &[u8], value: &[u8]) -> Option<Self> {
        tree.is_digested().then(|| Self(term(key, tree, row_key, value)))
    }
}

/// The hash of one row, equal to `key.mac("row", [tree, row_key, value])`. It absorbs all short parts
/// before the row key in one call, because every open sums all rows of the vault.
fn term(key: &MacKey, tree: Tree, row_key: &[u8], value: &[u8]) -> [u64; 4] {
    let mut head = [0; 28];
    let pieces: [&[u8]; 5] = [
        &3_u64.to_le_bytes(),
        b"row",
        &1_u64.to_le_bytes(),
        &[tree as u8],
        &(row_key.len() as u64).to_le_bytes(),
    ];
    for (to, from) in head.iter_mut().zip(pieces.into_iter().flatten()) {
        *to = *from;
    }
    let mut state = key.begin();
    state.update(&head);
    state.update(row_key);
    state.update(&(value.len() as u64).to_le_bytes());
    state.update(value);
    let tag = state.finalize().into_bytes();
    let (lanes, _) = tag.as_chunks::<8>();
    let mut term = [0; 4];
    for (to, from) in term.iter_mut().zip(lanes) {
        *to = u64::from_le_bytes(*from);
    }
    term
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [(Tree, &[u8], &[u8]); 4] = [
        (Tree::Names, b"a", b"one"),
        (Tree::Secrets, b"a", b"one"),
        (Tree::Labels, b"b", b""),
        (Tree::Labels, b"", b"b"),
    ];

    fn key() -> MacKey {
        MacKey::new(&[8; 32])
    }

    fn sum(rows: &[(Tree, &[u8], &[u8])]) -> SetSum {
        let mut sum = SetSum::empty();
        for (tree, row_key, value) in rows {
            sum.add(&key(), *tree, row_key, value);
        }
        sum
    }

    #[test]
    fn a_rows_share_is_framed_like_any_mac() {
        let expected = key().mac("row", &[&[Tree::Labels as u8], b"key", b"value"]);
        let lanes = term(&key(), Tree::Labels, b"key", b"value");
        assert_eq!(lanes.map(u64::to_le_bytes).concat(), expected);
    }

    #[test]
    fn the_order_does_not_matter_and_every_row_does() {
        let mut backwards = ROWS;
        backwards.reverse();
        assert!(sum(&ROWS) == sum(&backwards));
        for left_out in 0..ROWS.len() {
            let mut fewer = ROWS.to_vec();
            fewer.remove(left_out);
            assert!(sum(&ROWS) != sum(&fewer));
        }
        let mut swapped = ROWS;
        swapped[0].2 = b"two";
        assert!(sum(&ROWS) != sum(&swapped));
    }

    /// Goal: carries and borrows run through all lanes. Method: many rows in, the same rows out.
    #[test]
    fn removing_undoes_adding() {
        let mut changed = sum(&ROWS);
        for round in 0_u64..2000 {
            changed.add(&key(), Tree::Meta, &round.to_le_bytes(), b"value");
        }
        assert_eq!(changed.rows(), 2004);
        for round in (0_u64..2000).rev() {
            changed.remove(&key(), Tree::Meta, &round.to_le_bytes(), b"value");
        }
        assert!(changed == sum(&ROWS));
        let mut below = SetSum::empty();
        below.remove(&key(), Tree::Names, b"a", b"one");
        below.add(&key(), Tree::Names, b"a", b"one");
        assert!(below == SetSum::empty());
    }

    #[test]
    fn halves_merge_into_the_whole() {
        let (left, right) = ROWS.split_at(1);
        let mut merged = sum(left);
        merged.merge(&sum(right));
        assert!(merged == sum(&ROWS));
    }

    #[test]
    fn the_digest_binds_the_count_and_the_lsn() {
        let (one, lsn) = (sum(&ROWS), Lsn(7));
        assert_eq!(one.digest(&key(), lsn), sum(&ROWS).digest(&key(), lsn));
        assert_ne!(one.digest(&key(), lsn), one.digest(&key(), Lsn(8)));
        assert_ne!(one.digest(&key(), lsn), one.digest(&MacKey::new(&[9; 32]), lsn));
        let miscounted = SetSum { rows: 5, ..one.clone() };
        assert_ne!(one.digest(&key(), lsn), miscounted.digest(&key(), lsn));
    }

    #[test]
    fn chunks_of_values_are_not_in_it() {
        let mut sum = SetSum::empty();
        sum.add(&key(), Tree::Blobs, b"chunk", b"bytes");
        assert!(sum == SetSum::empty());
    }
}
