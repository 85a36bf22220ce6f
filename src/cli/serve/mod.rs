//! `serve`: a vault behind the AWS API.
//!
//! - `agent_token.rs`: the token that clients of the agent's port show
//! - `lines.rs`: the `export` lines that point a client at the server
//! - `logging.rs`: the log: lines on standard error, filtered by level
//! - `start.rs`: from the command line to a server that runs

mod agent_token;
mod lines;
mod logging;
mod start;

pub(crate) use start::serve;
