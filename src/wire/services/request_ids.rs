//! The ids of requests: random (version 4) UUIDs (rule WIRE-REPLY-1).

use crate::env::Env;
use std::sync::{Mutex, PoisonError};

/// Bytes of an id.
const ID_BYTES: usize = 16;
/// Bytes that are drawn at once, so that few requests ask the system for them.
const DRAWN_BYTES: usize = 64 * ID_BYTES;

/// Makes ids.
pub(crate) struct RequestIds {
    env: Env,
    /// What was drawn and not used.
    drawn: Mutex<Vec<u8>>,
}

impl RequestIds {
    pub(crate) fn new(env: Env) -> Self {
        Self { env, drawn: Mutex::default() }
    }

    /// A fresh id.
    pub(crate) fn next(&self) -> String {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.is_empty() {
            // Without entropy ids repeat, which harms nothing.
            drawn.extend(self.env.random::<DRAWN_BYTES>().unwrap_or([0; DRAWN_BYTES]));
        }
        let mut random = [0; ID_BYTES];
        random.iter_mut().zip(std::iter::from_fn(|| drawn.pop())).for_each(|(to, from)| *to = from);
        drop(drawn);
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// WIRE-REPLY-1
    #[test]
    fn no_two_ids_are_the_same() {
        let ids = RequestIds::new(Env::real());
        let made: HashSet<String> = (0..1000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 1000);
        for id in made {
            assert_eq!((id.len(), id.as_bytes().get(14)), (36, Some(&b'4')), "{id}");
        }
    }
}
