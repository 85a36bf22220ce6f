//! Bytes through a connection. Every call has a deadline, so nobody is held up by the other side.

use crate::env::Clock;
use crate::secret::SecretBytes;
use crate::secret::buffer::WipedBuffer;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Bytes that are read or written at once.
const PART: usize = 64 * 1024;
/// The shortest time that a socket can be told to wait.
const WAIT_MIN: Duration = Duration::from_millis(1);

/// A connection to the other side.
pub(crate) struct Line {
    stream: UnixStream,
    clock: Arc<dyn Clock>,
}

/// When a call gives up.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Duration);

impl Line {
    pub(super) fn new(stream: UnixStream, clock: &Arc<dyn Clock>) -> Self {
        Self { stream, clock: Arc::clone(clock) }
    }

    /// A deadline from now on.
    pub(super) fn within(&self, time: Duration) -> Deadline {
        Deadline(self.clock.monotonic().saturating_add(time))
    }

    /// The time that is left. It is an error if there is none.
    fn left(&self, deadline: Deadline) -> io::Result<Duration> {
        let left = deadline.0.saturating_sub(self.clock.monotonic());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left.max(WAIT_MIN)) }
    }

    /// Fills `buffer`.
    pub(super) fn read(&mut self, mut buffer: &mut [u8], deadline: Deadline) -> io::Result<()> {
        while !buffer.is_empty() {
            self.stream.set_read_timeout(Some(self.left(deadline)?))?;
            let read = moved(self.stream.read(buffer), ErrorKind::UnexpectedEof)?;
            buffer = buffer.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, deadline: Deadline) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read(&mut bytes, deadline)?;
        Ok(bytes)
    }

    /// The next `len` bytes, whose number the caller has bounded. The buffer grows with what arrives, and is
    /// wiped.
    pub(super) fn bytes(
        &mut self,
        len: usize,
        deadline: Deadline,
    ) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut part = Zeroizing::new(vec![0; len.min(PART)]);
        let mut all = WipedBuffer::with_capacity(part.len());
        while all.len() < len {
            let next = part.get_mut(..(len - all.len()).min(PART)).unwrap_or_default();
            self.read(next, deadline)?;
            all.push(next);
        }
        Ok(all.into_inner())
    }

    /// The same, as a secret, without one more copy.
    pub(super) fn secret(&mut self, len: usize, deadline: Deadline) -> io::Result<SecretBytes> {
        let mut bytes = self.bytes(len, deadline)?;
        Ok(SecretBytes::new(std::mem::take(&mut *bytes)))
    }

    /// Writes all of `bytes`.
    pub(super) fn write(&mut self, mut bytes: &[u8], deadline: Deadline) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.set_write_timeout(Some(self.left(deadline)?))?;
            let part = bytes.get(..PART.min(bytes.len())).unwrap_or_default();
            let written = moved(self.stream.write(part), ErrorKind::WriteZero)?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

/// How many bytes a call moved. That is none if it was only interrupted: the deadline says whether it goes
/// on. If the other side has ended, it is an error of the kind `end`.
fn moved(outcome: io::Result<usize>, end: ErrorKind) -> io::Result<usize> {
    match outcome {
        Ok(0) => Err(end.into()),
        Err(error) => match error.kind() {
            ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(0),
            _ => Err(error),
        },
        outcome => outcome,
    }
}
