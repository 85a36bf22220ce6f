//! Replicas in other regions and other accounts.

pub(crate) mod cross_account;
pub(crate) mod promote;
pub(crate) mod replica;
