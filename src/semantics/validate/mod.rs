//! The checks that need nothing but the request (rules SEM-CHECK, SEM-NAME, SEM-VAL).
//!
//! `vault` runs them on the caller's thread, before it seals a value. What goes on from there to
//! [`plan`](crate::semantics::plan()) and `read` is a [`Checked`] request, which is not checked again.
//!
//! - `constraint`: the grammar of broken model constraints
//! - `members`: constraints of members that several requests have
//! - `names`: names, references, tokens and labels, read once their constraints hold
//! - `filters`, `role`: the same of filters and of ARNs of roles
//! - `requests`, `replication`, `cross_account`, `rotation`, `policy`: one function a request
//! - `checked`: requests that passed their checks, with what they name parsed

mod checked;
mod constraint;
mod cross_account;
mod filters;
mod members;
mod names;
mod policy;
mod replication;
mod requests;
mod role;
mod rotation;

pub use checked::{AboutSecret, Check, Checked, SecretId, Value};
pub use constraint::Violations;
pub use cross_account::{associate_cross_account_replica, disassociate_cross_account_replica};
pub use members::ValueShape;
pub use names::{CreateNames, PutNames, StageNames, ValueNames, VersionNames, missing};
pub use policy::{
    list_resource_policies, put_resource_policy, resource_policy_id, validate_resource_policy,
};
pub use replication::{remove_regions_from_replication, replicate_secret_to_regions};
pub use requests::*;
pub(crate) use role::role;
pub use rotation::rotate_secret;
