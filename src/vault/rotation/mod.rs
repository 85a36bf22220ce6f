//! Rotation in the background: calls the rotation functions when they are due.
//!
//! ```text
//! commit, scan --> schedule (who is due when) --> rotator (a few threads of its own)
//!                                                   | AdvanceRotation, through the commit pipeline
//!                                                   | the call that it answers, to the function
//! ```
//!
//! `semantics` decides every turn; the calls are made here. The mutation that asks for the next call records
//! the outcome of the last one. A crash between the two repeats the call, so functions must tolerate
//! repetition, as the contract of AWS asks (SEM-ROT-10).
//!
//! - [`rotator`]: takes one secret's rotation step by step.
//! - [`random`]: the rotation function that is built in.
//! - [`threads`]: the threads.

pub(crate) mod random;
pub(crate) mod rotator;
pub(crate) mod threads;
