//! Sockets: the ports, the connections, and the end of both.

mod admission;
mod connection;
mod listen;
mod signals;
mod stream;

pub use listen::{Server, Stopper};
