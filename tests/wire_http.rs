//! The server over real sockets, byte for byte: the API's answers, bad input, authentication,
//! strayed requests, limits, stopping.

#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "wire_http/api.rs"]
mod api;
#[path = "wire_http/auth.rs"]
mod auth;
#[path = "wire_http/bad_input.rs"]
mod bad_input;
#[path = "wire_http/client.rs"]
mod client;
#[path = "wire_http/limits.rs"]
mod limits;
#[path = "wire_http/strayed.rs"]
mod strayed;
