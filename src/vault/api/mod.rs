//! The operations of a vault as its callers see them.
//!
//! - `operations.rs`: one method for each operation
//! - `shorthand.rs`: `put` and `get`
//! - `batch_get.rs`: `BatchGetSecretValue`, many reads in one
//! - `events.rs`: events of label moves that wait
//! - `pages.rs`: lists as iterators over all of their pages
//! - `submit.rs`: from any request to its answer; the form for servers
//! - `scope.rs`: handles that act in other scopes
//! - `fork.rs`: a copy of a vault that continues independently, for tests

mod batch_get;
mod events;
#[cfg(feature = "testkit")]
mod fork;
mod operations;
mod pages;
mod scope;
mod shorthand;
mod submit;

pub use pages::Pages;
pub use submit::WriteRequest;
