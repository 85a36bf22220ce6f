//! Rotation as it is done: who is called, and when.
//!
//! ```text
//! commit, scan --> schedule (who is due when) --> engine (a few threads of its own)
//!                                                   | AdvanceRotation, through the commit pipeline
//!                                                   | the call that it answers, to the function
//! ```
//!
//! `semantics` decides every turn; here the calls are made. A call is noted as done by the mutation
//! that asks for the next one, so a crash between the two repeats the call: functions have to bear
//! that, as the contract of AWS asks them to (SEM-ROT-10).
//!
//! - [`engine`]: the threads, and one secret's rotation.
//! - [`random`]: the rotation function that is built in.

pub(crate) mod engine;
pub(crate) mod random;
