//! Requests and responses as HTTP: which are let in, where they go, their bodies.

pub(in crate::wire) mod body;
pub(in crate::wire) mod guard;
pub(in crate::wire) mod route;
