//! A holder and what reaches its socket.
