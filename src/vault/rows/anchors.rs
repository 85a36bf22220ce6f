//! The row that knows the anchor files of a vault (RB-3).

use super::versioned::{decode, encode};
use crate::codec::CodecError;
use serde::{Deserialize, Serialize};

/// The most anchor files that are known; the one that was refreshed longest ago is forgotten.
const PLACES_MAX: usize = 16;

/// What the vault knows about one anchor file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The anchor file's own number.
    place: [u8; 8],
    /// The mark that the file held before its last refresh, and the one that it got by it. A crash between
    /// row and file leaves the first.
    before: [u8; 16],
    mark: [u8; 16],
}

/// The anchor files of a vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnchorRow {
    places: Vec<Known>,
    /// How often a rollback was accepted.
    accepted: u32,
}

/// One refresh of an anchor file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) place: [u8; 8],
    pub(crate) before: [u8; 16],
    pub(crate) mark: [u8; 16],
    /// The first one after a rollback that was accepted.
    pub(crate) is_accepted: bool,
}

impl AnchorRow {
    /// Whether the vault has seen that mark in that place last.
    pub(crate) fn knows(&self, place: [u8; 8], mark: [u8; 16]) -> bool {
        let mut known = self.places.iter().filter(|known| known.place == place);
        known.any(|known| known.before == mark || known.mark == mark)
    }

    /// How often a rollback of this vault was accepted (RB-7).
    pub(crate) fn accepted(&self) -> u32 {
        self.accepted
    }

    /// Notes a refresh.
    pub(crate) fn note(&mut self, refresh: Refresh) {
        let Refresh { place, before, mark, is_accepted } = refresh;
        self.places.retain(|known| known.place != place);
        if self.places.len() >= PLACES_MAX {
            self.places.remove(0);
        }
        self.places.push(Known { place, before, mark });
        self.accepted = self.accepted.saturating_add(u32::from(is_accepted));
    }
}

pub(crate) fn encode_anchors(row: &AnchorRow) -> Result<Vec<u8>, CodecError> {
    encode(row)
}

pub(crate) fn decode_anchors(bytes: &[u8]) -> Result<AnchorRow, CodecError> {
    decode(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refresh(place: u8, before: u8, mark: u8) -> Refresh {
        let (before, mark) = ([before; 16], [mark; 16]);
        Refresh { place: [place; 8], before, mark, is_accepted: false }
    }

    #[test]
    fn the_last_two_marks_of_each_place_are_known() {
        let mut row = AnchorRow::default();
        row.note(refresh(1, 0, 1));
        row.note(refresh(2, 0, 9));
        row.note(refresh(1, 1, 2));
        row.note(refresh(1, 2, 3));
        let row = decode_anchors(&encode_anchors(&row).unwrap()).unwrap();
        let known = |mark| row.knows([1; 8], [mark; 16]);
        assert_eq!((known(1), known(2), known(3), known(9)), (false, true, true, false));
        assert!(row.knows([2; 8], [9; 16]) && !row.knows([3; 8], [9; 16]));
    }

    #[test]
    fn the_place_of_the_oldest_refresh_is_forgotten() {
        let mut row = AnchorRow::default();
        for place in 0..=16 {
            row.note(refresh(place, 0, 1));
        }
        assert!(!row.knows([0; 8], [1; 16]) && row.knows([1; 8], [1; 16]));
    }
}
