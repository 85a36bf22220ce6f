//! The kit for users (`docs/TESTKIT.md`): the same seed gives the same bytes, a vault in memory
//! writes what one on disk writes, forks go their own ways, traces replay; and the worked example.

mod client_bug;
mod endpoints;
mod forks;
mod same_bytes;
mod sample_client;
mod script;
