//! The facts of a managed external secret, inside its row: bytes with their own version byte (rule ROW-13).

use super::versioned;
use crate::codec::CodecError;
use crate::model::{External, ExternalMetadata};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct ExternalV1 {
    partner: String,
    metadata: Vec<(String, String)>,
    role: Option<String>,
}

pub(super) fn encode(external: &External) -> Result<Vec<u8>, CodecError> {
    versioned::encode(&ExternalV1 {
        partner: external.partner.to_string(),
        metadata: external.metadata.iter().map(|m| (m.key.clone(), m.value.clone())).collect(),
        role: external.role.as_ref().map(ToString::to_string),
    })
}

pub(super) fn decode(bytes: &[u8]) -> Result<External, CodecError> {
    let content: ExternalV1 = versioned::decode(bytes)?;
    if content.partner.is_empty() {
        return Err(CodecError);
    }
    let metadata = content.metadata.into_iter();
    Ok(External {
        partner: content.partner.into(),
        metadata: metadata.map(|(key, value)| ExternalMetadata { key, value }).collect(),
        role: content.role.map(Into::into),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The bytes as `docs/FORMAT.md` has them: vaults hold them for ever.
    #[test]
    fn the_bytes_are_frozen() {
        let metadata = vec![ExternalMetadata { key: "k".into(), value: "v".into() }];
        let external = External { partner: "p".into(), metadata, role: Some("r".into()) };
        let text = |letter| [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[letter]].concat();
        let expected = [
            vec![1],
            text(b'p'),
            vec![1, 0, 0, 0, 0, 0, 0, 0],
            text(b'k'),
            text(b'v'),
            vec![1],
            text(b'r'),
        ];
        assert_eq!(encode(&external).unwrap(), expected.concat());
        assert_eq!(decode(&expected.concat()), Ok(external));
        let bare = [vec![1], text(b'p'), vec![0; 9]].concat();
        assert_eq!(encode(&External::of("p")).unwrap(), bare);
        assert_eq!(decode(&bare), Ok(External::of("p")));
    }

    #[test]
    fn what_is_no_partner_is_refused() {
        let bytes = encode(&External::of("p")).unwrap();
        for len in 0..bytes.len() {
            assert_eq!(decode(bytes.get(..len).unwrap()), Err(CodecError), "cut at {len}");
        }
        let longer = [&bytes[..], &[0]].concat();
        let newer = [&[2], bytes.get(1..).unwrap()].concat();
        let nobody = [&[1][..], &[0; 17]].concat();
        for bad in [longer, newer, nobody] {
            assert_eq!(decode(&bad), Err(CodecError));
        }
    }
}
