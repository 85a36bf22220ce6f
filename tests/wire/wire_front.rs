//! What stands before the API: probes, STS, requests to other services, the order of the checks, and
//! signed requests of which one thing was changed.

mod mutations;
mod order;
mod other;
mod presigned;
mod probes;
mod sts;
