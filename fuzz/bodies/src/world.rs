//! The vault in ordered maps that the unit tests of the rules share, over the crate's inner parts.

use strongroom::__internals::{env, model, secret, semantics};

#[path = "../../../src/semantics/tests/memory/mod.rs"]
pub mod memory;
