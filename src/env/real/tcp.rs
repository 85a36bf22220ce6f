//! What a server asks of the system about its sockets, through safe calls.

use rustix::net::Shutdown;
use rustix::process::{Resource, Rlimit};
use std::io;
use std::os::fd::AsFd;

/// Bytes that have arrived and that nobody has read; 0 if the system does not say.
#[must_use]
pub fn unread_bytes(socket: impl AsFd) -> u64 {
    rustix::io::ioctl_fionread(socket).unwrap_or(0)
}

/// Tells the other side that nothing more will be written. Bytes can still be read.
pub fn end_writing(socket: impl AsFd) -> io::Result<()> {
    Ok(rustix::net::shutdown(socket, Shutdown::Write)?)
}

/// Lets `connections` wait that were not accepted yet. The system may allow less.
pub fn widen_backlog(listener: impl AsFd, connections: i32) -> io::Result<()> {
    Ok(rustix::net::listen(listener, connections)?)
}

/// How many files and sockets the process may have open.
#[must_use]
pub fn open_files_max() -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Raises the limit of open files as far as the process may.
pub fn raise_open_files_max() -> io::Result<()> {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    Ok(rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_socket_says_what_waits_in_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        widen_backlog(&listener, 16).unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        assert_eq!(unread_bytes(&far), 0);
        near.write_all(b"abc").unwrap();
        end_writing(&near).unwrap();
        let mut read = Vec::new();
        assert_eq!(far.read(&mut [0]).unwrap(), 1);
        assert_eq!(unread_bytes(&far), 2);
        far.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"bc");
        assert!(open_files_max() > 16);
    }
}
