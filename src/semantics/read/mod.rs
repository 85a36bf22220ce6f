//! The operations that read.

pub mod batch;
pub(crate) mod filter;
pub(crate) mod list;
pub(crate) mod page;
mod value;

pub use super::secrets::policies::{
    get_resource_policy, list_resource_policies, validate_resource_policy,
};
pub use list::list_secrets;
pub use value::*;
