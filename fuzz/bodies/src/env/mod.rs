//! The hostile disk, behind the crate's own traits. The crate's unit tests also compile `sim`, inside their
//! `env`.

#![allow(clippy::wildcard_imports)] // as if this were that module

use strongroom::__internals::env::*;

pub mod sim;
