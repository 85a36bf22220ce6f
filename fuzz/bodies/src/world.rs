//! The vault in ordered maps that the unit tests of the rules share, built on the crate's private parts.

use strongroom::__internals::{env, model, secret, semantics};

#[path = "../../../src/semantics/tests/memory/mod.rs"]
pub mod memory;
