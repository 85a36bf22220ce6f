//! Sockets: the ports, the connections, and the end of both.

mod connection;
mod listen;

pub(in crate::wire) use connection::Busy;
pub use listen::{Server, Stopper};
