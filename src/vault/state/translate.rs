//! Rows of format 1 as rows of format 2, in memory.

use super::sums::sum_rows;
use crate::crypto::{Keyring, SetSum};
use crate::env::Entropy;
use crate::log::RowFormat;
use crate::model::ChangeSet;
use crate::store::{OrderedStore, Store};
use crate::vault::error::RowError;
use crate::vault::rows::v1;

/// The format of rows whose log cannot be asked.
pub(crate) fn format_of(rows: &dyn Store, keys: &Keyring) -> Result<RowFormat, RowError> {
    let is_old = v1::has_rows_of_format_1(rows, keys)?;
    Ok(if is_old { RowFormat::One } else { RowFormat::NEWEST })
}

/// A copy of rows of format 1 in format 2, one operation later, and the sum over it.
pub(crate) fn to_newest(
    rows: &OrderedStore,
    keys: &Keyring,
    entropy: &dyn Entropy,
) -> Result<(OrderedStore, SetSum), RowError> {
    let changes = v1::changes_to_format_2(rows, keys, entropy)?;
    let (lsn, newest) = (rows.applied()?.next(), rows.fork());
    newest.apply(&[ChangeSet { lsn, rows: changes }])?;
    let sum = sum_rows(&newest, keys)?;
    Ok((newest, sum))
}
