//! Resource policies: their grammar, what makes one public, and what it says about a request.
//!
//! ```text
//! text -> json -> document (with condition) -> Policy -> is_broad     BlockPublicPolicy
//!                                                     \-> verdict     who may do what
//! ```
//!
//! - `json`: the reader of texts
//! - `truth`, `pattern`: yes, no or undecided; `*` and `?`
//! - `asked`: a request, as far as policies can tell one from another
//! - `condition`: conditions of a statement
//! - `document`: the grammar
//! - `verdict`: what a policy says about a request
//! - `print`: how a policy is read back

mod asked;
mod condition;
mod document;
mod json;
mod pattern;
mod print;
mod truth;
mod verdict;

pub(crate) use asked::{Asked, root_arn};
pub(crate) use document::{Policy, parse};
pub(crate) use print::printed;
pub(crate) use verdict::Verdict;
