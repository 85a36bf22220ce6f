//! The server over real sockets, byte for byte: the API's answers, bad input, authentication,
//! strayed requests, limits, stopping.

mod api;
mod auth;
mod bad_input;
mod batch;
mod limits;
mod paws;
mod replicas;
mod strayed;
