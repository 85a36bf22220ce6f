//! The outbox: events that wait to be delivered, and what is noted about them (rule ROW-15).

use super::versioned::{decode, encode};
use crate::codec::CodecError;
use crate::crypto::Keyring;
use crate::env::UnixMillis;
use crate::model::{Arn, LabelMove, Lsn, Scope, SecretName, Stage, Suffix, Tree, VersionId};
use crate::store::Store;
use crate::vault::error::RowError;
use serde::{Deserialize, Serialize};

/// `meta`: whether events are written, and how many were dropped.
pub(crate) const META_EVENTS: &[u8] = b"events";

#[derive(Serialize, Deserialize)]
struct EventV1 {
    id: [u8; 16],
    account: String,
    region: String,
    name: String,
    suffix: [u8; 6],
    label: String,
    version_id: String,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct OutboxV1 {
    is_on: bool,
    dropped: u64,
}

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitingEvent {
    /// Random, the same at each delivery.
    pub(crate) id: [u8; 16],
    pub(crate) moved: LabelMove,
}

/// What is known about the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outbox {
    /// Whether events are written.
    pub(crate) is_on: bool,
    /// Events that were dropped because too many waited.
    pub(crate) dropped: u64,
    /// Events that wait. Not noted: their rows are counted at an open.
    pub(crate) waiting: u64,
}

/// Key in `events`: the operation that moved the label, and the event's place in it.
pub(crate) fn event_key(lsn: Lsn, n: u16) -> [u8; 10] {
    let mut key = [0; 10];
    let (head, tail) = key.split_at_mut(8);
    head.copy_from_slice(&lsn.0.to_be_bytes());
    tail.copy_from_slice(&n.to_be_bytes());
    key
}

pub(crate) fn encode_event(event: &WaitingEvent) -> Result<Vec<u8>, CodecError> {
    let WaitingEvent { id, moved: LabelMove { arn, stage, version_id, at } } = event;
    encode(&EventV1 {
        id: *id,
        account: arn.scope.account.to_string(),
        region: arn.scope.region.to_string(),
        name: arn.name.as_str().to_owned(),
        suffix: arn.suffix.0,
        label: stage.as_str().to_owned(),
        version_id: version_id.as_str().to_owned(),
        at: at.0,
    })
}

pub(crate) fn decode_event(bytes: &[u8]) -> Result<WaitingEvent, CodecError> {
    let event: EventV1 = decode(bytes)?;
    let arn = Arn {
        scope: Scope { account: event.account.into(), region: event.region.into() },
        name: SecretName::parse(&event.name).map_err(|_| CodecError)?,
        suffix: Suffix(event.suffix),
    };
    let stage = Stage::parse(&event.label).ok_or(CodecError)?;
    let version_id = VersionId::parse(&event.version_id).ok_or(CodecError)?;
    let moved = LabelMove { arn, stage, version_id, at: UnixMillis(event.at) };
    Ok(WaitingEvent { id: event.id, moved })
}

pub(crate) fn encode_outbox(outbox: Outbox) -> Result<Vec<u8>, CodecError> {
    encode(&OutboxV1 { is_on: outbox.is_on, dropped: outbox.dropped })
}

pub(crate) fn decode_outbox(bytes: &[u8]) -> Result<Outbox, CodecError> {
    let OutboxV1 { is_on, dropped } = decode(bytes)?;
    Ok(Outbox { is_on, dropped, waiting: 0 })
}

/// The outbox of a vault that is being opened.
pub(crate) fn outbox(rows: &dyn Store, keys: &Keyring) -> Result<Outbox, RowError> {
    let Some(row) = rows.get(Tree::Meta, META_EVENTS)? else { return Ok(Outbox::default()) };
    let mut outbox = decode_outbox(&keys.open_row(Tree::Meta, META_EVENTS, &row)?)?;
    rows.scan(Tree::Events, &mut |_, _| outbox.waiting += 1)?;
    Ok(outbox)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn event() -> WaitingEvent {
        let arn = Arn {
            scope: Scope::new("111122223333", "eu-west-1"),
            name: SecretName::parse("n").unwrap(),
            suffix: Suffix(*b"abcdef"),
        };
        let version_id = VersionId::parse(&"v".repeat(32)).unwrap();
        let moved = LabelMove { arn, stage: Stage::current(), version_id, at: UnixMillis(5) };
        WaitingEvent { id: [7; 16], moved }
    }

    /// The bytes as `docs/FORMAT.md` has them: vaults hold them for ever.
    #[test]
    fn the_bytes_are_frozen() {
        let text = |text: &str| {
            let len = u64::try_from(text.len()).unwrap().to_le_bytes();
            [&len[..], text.as_bytes()].concat()
        };
        let expected = [
            vec![1],
            vec![7; 16],
            text("111122223333"),
            text("eu-west-1"),
            text("n"),
            b"abcdef".to_vec(),
            text("AWSCURRENT"),
            text(&"v".repeat(32)),
            5_i64.to_le_bytes().to_vec(),
        ];
        assert_eq!(encode_event(&event()).unwrap(), expected.concat());
        assert_eq!(decode_event(&expected.concat()), Ok(event()));
        let outbox = Outbox { is_on: true, dropped: 3, waiting: 0 };
        let expected = [1, 1, 3, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(encode_outbox(Outbox { waiting: 9, ..outbox }).unwrap(), expected);
        assert_eq!(decode_outbox(&expected), Ok(outbox));
    }

    #[test]
    fn keys_sort_in_the_order_of_the_moves() {
        let key = |lsn, n| event_key(Lsn(lsn), n);
        assert_eq!(key(1, 2), [0, 0, 0, 0, 0, 0, 0, 1, 0, 2]);
        assert!(
            key(1, 255) < key(1, 256) && key(1, 256) < key(255, 0) && key(255, 0) < key(256, 0)
        );
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let bytes = encode_event(&event()).unwrap();
        for len in 0..bytes.len() {
            assert_eq!(decode_event(bytes.get(..len).unwrap()), Err(CodecError), "cut at {len}");
        }
        let newer = [&[2], bytes.get(1..).unwrap()].concat();
        let mut nameless = bytes.clone();
        let at = bytes.windows(7).position(|part| part == b"nabcdef").unwrap();
        *nameless.get_mut(at).unwrap() = b' ';
        for bad in [[&bytes[..], &[0]].concat(), newer, nameless] {
            assert_eq!(decode_event(&bad), Err(CodecError));
        }
        for bad in [&[1, 2, 0, 0, 0, 0, 0, 0, 0, 0][..], &[1, 1], &[2, 1, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(decode_outbox(bad), Err(CodecError));
        }
    }
}
