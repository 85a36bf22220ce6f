//! The rows of a store as the facts that `semantics` asks for.
//!
//! - [`access_marks`]: reads that no record shows yet (`LastAccessedDate`).
//! - [`found`]: sealed values that were found lately, for the next reader.
//! - [`free_token`]: tokens that name no version.
//! - [`generations`]: a bounded table that keeps what is used.
//! - [`opened`]: rows that were opened lately, for the next reader.
//! - [`overlay`]: where sealed rows are read from: the store, or the store under the rows of a batch.
//! - [`row_key`]: the key of a row as a table has it.
//! - [`row_view`]: opens and decodes the rows.
//! - [`shards`]: a table in parts, each behind a lock of its own.

pub(crate) mod access_marks;
pub(crate) mod found;
pub(crate) mod free_token;
mod generations;
pub(crate) mod opened;
pub(crate) mod overlay;
mod row_key;
pub(crate) mod row_view;
mod shards;
