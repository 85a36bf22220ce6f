//! Random bytes for many short nonces, read in few calls of the system.

use super::Entropy;
use std::io;
use std::sync::{Mutex, PoisonError};
use zeroize::{Zeroize, Zeroizing};

/// Most bytes that are read ahead.
const BYTES_MAX: usize = 4096;

/// A source that reads ahead from another. Each byte is handed out once, and wiped here then. It lives as
/// long as one batch, so that a copy of the process does not hand out what this one has.
pub struct ReadAhead<'a> {
    source: &'a dyn Entropy,
    ahead: Mutex<Ahead>,
    chunk: usize,
}

/// What was read: the end of `bytes`, as much as `left` says.
struct Ahead {
    bytes: Zeroizing<Vec<u8>>,
    left: usize,
}

impl<'a> ReadAhead<'a> {
    /// Reads so many bytes at once, as soon as some are asked for.
    #[must_use]
    pub fn of(source: &'a dyn Entropy, bytes: usize) -> Self {
        let ahead = Ahead { bytes: Zeroizing::new(Vec::new()), left: 0 };
        Self { source, ahead: Mutex::new(ahead), chunk: bytes.min(BYTES_MAX) }
    }
}

impl Ahead {
    /// The next bytes. `None`: there are not so many.
    fn next(&mut self, count: usize) -> Option<&mut [u8]> {
        let from = self.bytes.len() - self.left;
        let next = self.bytes.get_mut(from..from.checked_add(count)?)?;
        self.left -= count;
        Some(next)
    }
}

impl Entropy for ReadAhead<'_> {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        if buffer.len() > self.chunk {
            return self.source.fill(buffer);
        }
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if ahead.left < buffer.len() {
            ahead.left = 0;
            ahead.bytes.resize(self.chunk, 0);
            self.source.fill(&mut ahead.bytes)?;
            ahead.left = self.chunk;
        }
        if let Some(next) = ahead.next(buffer.len()) {
            buffer.copy_from_slice(next);
            next.zeroize();
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts up, and the calls. Fails after some.
    struct Counter {
        next: AtomicUsize,
        calls: AtomicUsize,
        calls_max: usize,
    }

    impl Counter {
        fn new(calls_max: usize) -> Self {
            Self { next: AtomicUsize::new(0), calls: AtomicUsize::new(0), calls_max }
        }
    }

    impl Entropy for Counter {
        fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
            if self.calls.fetch_add(1, Ordering::Relaxed) >= self.calls_max {
                return Err(io::Error::other("no more"));
            }
            for byte in buffer {
                *byte = u8::try_from(self.next.fetch_add(1, Ordering::Relaxed) % 251).unwrap();
            }
            Ok(())
        }
    }

    fn drawn(source: &dyn Entropy, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        source.fill(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn each_byte_is_handed_out_once_and_in_order() {
        let source = Counter::new(usize::MAX);
        let ahead = ReadAhead::of(&source, 50);
        assert_eq!(source.calls.load(Ordering::Relaxed), 0, "nothing was asked for");
        let expected = |from: u8| (from..from + 24).collect::<Vec<_>>();
        assert_eq!(drawn(&ahead, 24), expected(0));
        assert_eq!(drawn(&ahead, 24), expected(24));
        assert_eq!(source.calls.load(Ordering::Relaxed), 1);
        assert_eq!(drawn(&ahead, 24), expected(50), "two bytes are not enough and are never used");
        assert_eq!(source.calls.load(Ordering::Relaxed), 2);
        assert!(ahead.ahead.lock().unwrap().bytes.iter().take(24).all(|byte| *byte == 0));
    }

    #[test]
    fn longer_reads_go_past_it() {
        let source = Counter::new(usize::MAX);
        let ahead = ReadAhead::of(&source, 8);
        assert_eq!(drawn(&ahead, 9), (0..9).collect::<Vec<_>>());
        assert_eq!(drawn(&ahead, 8), (9..17).collect::<Vec<_>>());
        assert!(drawn(&ahead, 0).is_empty());
    }

    #[test]
    fn a_source_that_fails_hands_out_nothing() {
        let source = Counter::new(1);
        let ahead = ReadAhead::of(&source, 24);
        assert_eq!(drawn(&ahead, 24).len(), 24);
        let mut bytes = [7; 24];
        assert!(ahead.fill(&mut bytes).is_err() && ahead.fill(&mut bytes).is_err());
        assert_eq!(bytes, [7; 24]);
    }
}
