//! The commit pipeline: orders every mutation of a vault.
//!
//! - [`job`]: the operations that travel to the pipeline.
//! - [`copies`]: values that a plan copies to another secret.
//! - [`effects`]: a plan's effects as sealed rows.
//! - [`outbox`]: rows of events that wait to be delivered.
//! - [`batch`]: plans the jobs of one batch.
//! - [`pipeline`]: the state machine: plan, log, sync, publish, answer.
//! - [`control`]: what the pipeline does between batches.
//! - [`pace`]: how long the commit thread waits for more requests.
//! - [`driver`]: steps the pipeline, from a thread or from the caller.

pub(crate) mod batch;
pub(crate) mod control;
pub(crate) mod copies;
pub(crate) mod driver;
pub(crate) mod effects;
pub(crate) mod job;
pub(crate) mod outbox;
mod pace;
pub(crate) mod pipeline;
