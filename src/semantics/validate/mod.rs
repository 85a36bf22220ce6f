//! The checks that need nothing but the request (rules SEM-CHECK, SEM-NAME, SEM-VAL).

mod constraint;
mod cross_account;
mod policy;
mod replication;
mod requests;
mod rotation;

pub use constraint::Violations;
pub use cross_account::{associate_cross_account_replica, disassociate_cross_account_replica};
pub use policy::{
    list_resource_policies, put_resource_policy, resource_policy_id, validate_resource_policy,
};
pub use replication::{remove_regions_from_replication, replicate_secret_to_regions};
pub use requests::*;
pub use rotation::rotate_secret;
