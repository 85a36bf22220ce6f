//! Requests and responses as HTTP: which are let in, where they go, their bodies.

pub(crate) mod body;
pub(crate) mod guard;
pub(crate) mod phase;
pub(crate) mod route;
