//! What answers requests: Secrets Manager, STS, the agent's read protocol, health probes, `LocalStack`'s
//! pages.

mod agent;
mod health;
mod lanes;
mod local_stack;
mod noted;
pub(crate) mod operations;
mod other;
mod pairs;
mod replays;
mod request_ids;
mod service;
mod shared;
mod short_reads;
mod sts;
mod writing;

pub(crate) use agent::Agent;
pub(crate) use health::Health;
pub(crate) use lanes::{CostlyLane, READ_THREADS_MAX};
pub(crate) use local_stack::LocalStackPages;
pub(crate) use pairs::Pairs;
pub(crate) use replays::Replays;
pub(crate) use request_ids::RequestIds;
pub(crate) use service::Service;
pub(crate) use short_reads::{ShortReads, serving_threads};
