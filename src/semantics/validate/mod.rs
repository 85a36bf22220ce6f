//! The checks that need nothing but the request (rules SEM-CHECK, SEM-NAME, SEM-VAL).
//!
//! `vault` runs them on the caller's thread, before it seals a value. What goes on from there to
//! [`plan`](crate::semantics::plan()) and `read` is a [`Checked`] request, which is not checked again. Each
//! operation's own check stands with its rules, as its [`Check`]. Here is what the checks have in common:
//!
//! - `constraint`: the grammar of broken model constraints
//! - `members`: constraints of members that several requests have
//! - `names`: names, references, tokens and labels, read once their constraints hold
//! - `filters`, `policies`, `regions`, `role`: the same for filters, policies, regions and role ARNs
//! - `checked`: requests that passed their checks, with what they name parsed

mod checked;
pub(crate) mod constraint;
pub(crate) mod filters;
pub(crate) mod members;
pub(crate) mod names;
pub(crate) mod policies;
pub(crate) mod regions;
mod role;

pub use checked::{AboutSecret, Check, Checked, SecretId, Value};
pub(crate) use checked::{WithValue, with_value};
pub use constraint::Violations;
pub use members::ValueShape;
pub use names::{CreateNames, Names, PutNames, StageNames, ValueNames, VersionNames, missing};
pub(crate) use role::role;
