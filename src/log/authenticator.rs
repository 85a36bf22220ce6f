//! The keyed hashing that `vault` provides.

use crate::model::{Lsn, Tree};

/// Keyed hashing for the log. `vault` implements it, because `log` and `crypto` do not know each other.
pub trait Authenticator: Send + Sync {
    /// A 32-byte MAC over `domain` and `parts` (each length-prefixed by the implementation).
    fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32];
    /// A new, empty sum over rows. Its digest is compared with the one in a frame.
    fn new_sum(&self) -> Box<dyn RowSum>;
}

/// The keyed set digest, computed over rows in any order.
pub trait RowSum: Send {
    /// Adds a live row. The caller leaves out rows of trees that are not digested.
    fn add(&mut self, tree: Tree, key: &[u8], value: &[u8]);
    /// The digest of all rows added, as a frame whose last LSN is `lsn` carries it.
    fn digest(&self, lsn: Lsn) -> [u8; 32];
}
