//! Resource policies: their grammar, what makes one public, and what it says about a request.

mod condition;
mod document;
mod json;
mod pattern;
mod truth;
mod verdict;

pub(crate) use document::Policy;
pub(crate) use verdict::{Asked, Verdict, parse, root_arn};
