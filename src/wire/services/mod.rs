//! What answers requests: Secrets Manager, STS, the agent's read protocol, health probes.

mod agent;
mod health;
pub(in crate::wire) mod service;
mod sts;

pub(in crate::wire) use agent::Agent;
pub(in crate::wire) use service::Service;
