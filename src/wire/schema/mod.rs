//! The types of request members, and the check of a request body against them.
//!
//! - `member.rs`: members and kinds of members
//! - `check.rs`: types first, then presence
//! - `fields.rs`: takes members out of a checked body
//! - `structure.rs`: the macro that says how a structure is read

mod check;
mod fields;
mod member;
mod structure;
#[cfg(test)]
mod tests;

pub(crate) use fields::{Fields, FromFields, read};
pub(crate) use member::{Kind, Member, Members};
pub(crate) use structure::{member, structure};
