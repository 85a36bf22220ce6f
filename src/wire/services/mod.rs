//! What answers requests: Secrets Manager, STS, the agent's read protocol, health probes.

mod agent;
mod health;
pub(crate) mod operations;
mod service;
mod sts;

pub(crate) use agent::Agent;
pub(crate) use health::Health;
pub(crate) use service::Service;
