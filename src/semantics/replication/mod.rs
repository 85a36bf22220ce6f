//! Replicas in other regions (SEM-REPL) and other accounts (SEM-XREPL).
//!
//! - `status`: what a record says about replicas, and how it is shown
//! - `copies`: copies of a primary's versions for a replica that becomes a secret of its own
//! - `replica`: `ReplicateSecretToRegions`, `RemoveRegionsFromReplication`
//! - `parting`: how a replica in another account is separated from its primary
//! - `promote`: `StopReplicationToReplica`
//! - `cross_account`: `AssociateCrossAccountReplica`, `DisassociateCrossAccountReplica`

mod copies;
pub(crate) mod cross_account;
mod parting;
pub(crate) mod promote;
pub(crate) mod replica;
pub(crate) mod status;
