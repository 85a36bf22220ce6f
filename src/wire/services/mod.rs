//! What answers requests: Secrets Manager, STS, the agent's read protocol, health probes, `LocalStack`'s
//! pages.

mod agent;
mod health;
mod lanes;
mod local_stack;
pub(crate) mod operations;
mod other;
mod pairs;
mod replays;
mod service;
mod sts;

pub(crate) use agent::Agent;
pub(crate) use health::Health;
pub(crate) use lanes::CostlyLane;
pub(crate) use local_stack::LocalStackPages;
pub(crate) use pairs::Pairs;
pub(crate) use replays::Replays;
pub(crate) use service::Service;
