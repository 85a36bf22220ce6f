//! Unix sockets in a folder, reached by the folder's descriptor. So neither the length of the folder's path
//! nor a folder that is moved away matters, and no link is followed to a socket.
//!
//! Only Linux has the calls for it, and they need `/proc`. Elsewhere every one of them fails.

use super::{Metadata, facts, retry};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;
use std::time::Duration;

/// Connections that may wait until they are accepted.
const BACKLOG: i32 = 128;

/// A folder, by descriptor.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
}

/// What a name in a folder stands for. A link is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Whether it is a socket.
    pub is_socket: bool,
    /// Whether it is a symbolic link.
    pub is_link: bool,
    /// Its owner, mode and identity.
    pub facts: Metadata,
}

impl Folder {
    /// Opens the folder that `path` names now.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = retry(|| rustix::fs::open(path, flags, Mode::empty()))?;
        Ok(Self { fd })
    }

    /// Facts about the folder.
    pub fn metadata(&self) -> io::Result<Metadata> {
        Ok(facts(&rustix::fs::fstat(&self.fd)?))
    }

    /// What `name` stands for in the folder. `None`: nothing.
    pub fn look(&self, name: &str) -> io::Result<Option<Named>> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                let kind = FileType::from_raw_mode(stat.st_mode);
                let (is_socket, is_link) = (kind == FileType::Socket, kind == FileType::Symlink);
                Ok(Some(Named { is_socket, is_link, facts: facts(&stat) }))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a file of the folder.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    /// Makes the socket `name` of mode 0600, which must not exist, and listens on it.
    #[cfg(target_os = "linux")]
    pub fn listen(&self, name: &str) -> io::Result<UnixListener> {
        let socket = new_socket()?;
        let folder = by_descriptor(&self.fd)?;
        rustix::net::bind(&socket, &SocketAddrUnix::new(folder.join(name))?)?;
        // Nobody connects before this, because the socket does not listen yet.
        let private = Mode::RUSR | Mode::WUSR;
        rustix::fs::chmodat(&self.fd, name, private, AtFlags::empty())?;
        rustix::net::listen(&socket, BACKLOG)?;
        Ok(socket.into())
    }

    /// Connects to the socket `name`, and says what it was at that moment. `None`: there is no such socket, or
    /// nobody listens on it. Waits for at most `patience` while too many others wait.
    #[cfg(target_os = "linux")]
    pub fn connect(
        &self,
        name: &str,
        patience: Duration,
    ) -> io::Result<Option<(UnixStream, Metadata)>> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match retry(|| rustix::fs::openat(&self.fd, name, flags, Mode::empty())) {
            Err(Errno::NOENT) => return Ok(None),
            outcome => outcome?,
        };
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
            return Ok(None);
        }
        let socket = new_socket()?;
        // A connect waits as long as a send.
        let send = rustix::net::sockopt::Timeout::Send;
        rustix::net::sockopt::set_socket_timeout(&socket, send, Some(patience))?;
        let address = SocketAddrUnix::new(by_descriptor(&file)?)?;
        match retry(|| rustix::net::connect(&socket, &address)) {
            Ok(()) => Ok(Some((socket.into(), facts(&stat)))),
            Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(None),
            Err(Errno::AGAIN) => Err(io::ErrorKind::TimedOut.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// There is no way to listen safely here.
    #[cfg(not(target_os = "linux"))]
    pub fn listen(&self, _name: &str) -> io::Result<UnixListener> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Nobody listens here.
    #[cfg(not(target_os = "linux"))]
    pub fn connect(
        &self,
        _name: &str,
        _patience: Duration,
    ) -> io::Result<Option<(UnixStream, Metadata)>> {
        Ok(None)
    }
}

/// The effective user of the process at the other end: of its connect or, for whoever listens, of its listen.
#[cfg(target_os = "linux")]
pub fn peer_uid(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

/// The user at the other end, which this system does not tell.
#[cfg(not(target_os = "linux"))]
pub fn peer_uid(_stream: &UnixStream) -> io::Result<u32> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Wakes whoever waits in `accept`, which fails from now on.
pub fn stop_listening(listener: &UnixListener) -> io::Result<()> {
    Ok(rustix::net::shutdown(listener, rustix::net::Shutdown::Both)?)
}

#[cfg(target_os = "linux")]
fn new_socket() -> io::Result<OwnedFd> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    Ok(rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?)
}

/// A path to what a descriptor stands for, whatever its own path names by now. A path of any other kind would
/// follow links, so without `/proc` there is none.
#[cfg(target_os = "linux")]
fn by_descriptor(fd: &OwnedFd) -> io::Result<PathBuf> {
    let path = PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    match rustix::fs::lstat(&path) {
        Ok(_) => Ok(path),
        Err(_) => Err(io::Error::other("a socket needs /proc, which is not mounted")),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;
    use std::io::{Read, Write};

    const PATIENCE: Duration = Duration::from_secs(5);

    #[test]
    fn a_socket_is_reached_however_long_the_path_of_its_folder_is() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a".repeat(200)).join("b".repeat(200));
        std::fs::create_dir_all(&deep).unwrap();
        let folder = Folder::open(&deep).unwrap();
        assert_eq!(folder.look("s").unwrap(), None);
        assert!(folder.connect("s", PATIENCE).unwrap().is_none());
        let listener = folder.listen("s").unwrap();
        let named = folder.look("s").unwrap().unwrap();
        assert_eq!((named.is_socket, named.facts.mode), (true, 0o600));
        // Moved away, it is the same folder.
        std::fs::rename(&deep, root.path().join("moved")).unwrap();
        let (mut client, found) = folder.connect("s", PATIENCE).unwrap().unwrap();
        assert_eq!(found.identity, named.facts.identity);
        let (mut server, _) = listener.accept().unwrap();
        assert_eq!(peer_uid(&server).unwrap(), super::super::effective_uid());
        assert_eq!(peer_uid(&client).unwrap(), super::super::effective_uid());
        server.write_all(b"x").unwrap();
        client.read_exact(&mut [0]).unwrap();
        stop_listening(&listener).unwrap();
        assert!(listener.accept().is_err());
        drop(listener);
        assert!(folder.connect("s", PATIENCE).unwrap().is_none(), "nobody listens any more");
        folder.remove("s").unwrap();
        assert!(folder.connect("s", PATIENCE).unwrap().is_none());
    }

    #[test]
    fn a_link_to_a_socket_is_none() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        let _listener = folder.listen("s").unwrap();
        std::os::unix::fs::symlink("s", root.path().join("l")).unwrap();
        assert!(folder.look("l").unwrap().unwrap().is_link);
        assert!(folder.connect("l", PATIENCE).unwrap().is_none());
    }
}
