//! The resource policies of a secret, inside its row: bytes with their own version byte, so that they can
//! change without the format of the secret (rule ROW-12).

use crate::codec::{self, CodecError};
use crate::model::Policies;
use serde::{Deserialize, Serialize};

/// Longest encoding in bytes: what a row of `secrets` may have besides its tags.
const BYTES_MAX: u64 = 120 * 1024;
/// Format of the bytes.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct PoliciesV1 {
    default: Option<String>,
    named: Vec<(String, String)>,
}

pub(super) fn encode(policies: &Policies) -> Result<Vec<u8>, CodecError> {
    let named = policies.named.iter().map(|(name, text)| (name.clone(), text.clone()));
    let content = PoliciesV1 { default: policies.default.clone(), named: named.collect() };
    codec::encode(&[VERSION], &content, BYTES_MAX)
}

/// Decodes the bytes, and refuses any that no writer makes: no policy at all, a name twice, names out of
/// order.
pub(super) fn decode(bytes: &[u8]) -> Result<Policies, CodecError> {
    let content: PoliciesV1 = match bytes.split_first() {
        Some((&VERSION, content)) => codec::decode(content, BYTES_MAX)?,
        _ => return Err(CodecError),
    };
    let rises = content.named.is_sorted_by(|(a, _), (b, _)| a < b);
    let policies =
        Policies { default: content.default, named: content.named.into_iter().collect() };
    if rises && !policies.is_empty() { Ok(policies) } else { Err(CodecError) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn policies(default: Option<&str>, named: &[(&str, &str)]) -> Policies {
        let named = named.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Policies { default: default.map(str::to_owned), named: named.collect() }
    }

    #[test]
    fn policies_come_back_as_they_were() {
        for policies in [
            policies(Some("{ \"a\":\t1 }\n"), &[]),
            policies(None, &[("x", "1")]),
            policies(Some(""), &[("a", ""), ("b", "\u{1f600}")]),
        ] {
            assert_eq!(decode(&encode(&policies).unwrap()), Ok(policies));
        }
    }

    /// The bytes of `docs/FORMAT.md`, ROW-12.
    #[test]
    fn the_bytes_are_as_documented() {
        let encoded = encode(&policies(Some("{}"), &[("n", "p")])).unwrap();
        let expected = [
            &[1, 1][..],
            &[2, 0, 0, 0, 0, 0, 0, 0],
            b"{}",
            &[1, 0, 0, 0, 0, 0, 0, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0],
            b"n",
            &[1, 0, 0, 0, 0, 0, 0, 0],
            b"p",
        ];
        assert_eq!(encoded, expected.concat());
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        assert_eq!(decode(&[]), Err(CodecError));
        assert_eq!(decode(&[0]), Err(CodecError));
        let good = encode(&policies(Some("{}"), &[("n", "p")])).unwrap();
        for len in 0..good.len() {
            assert_eq!(decode(good.get(..len).unwrap()), Err(CodecError), "cut at {len}");
        }
        assert_eq!(decode(&[good.clone(), vec![0]].concat()), Err(CodecError));
        let newer = [&[2], good.get(1..).unwrap()].concat();
        assert_eq!(decode(&newer), Err(CodecError));
        assert_eq!(decode(&encode(&Policies::default()).unwrap()), Err(CodecError), "none at all");
        let pair = |name: &str| (name.to_owned(), String::new());
        for named in [vec![pair("b"), pair("a")], vec![pair("a"), pair("a")]] {
            let content = PoliciesV1 { default: None, named };
            let bytes = codec::encode(&[1], &content, BYTES_MAX).unwrap();
            assert_eq!(decode(&bytes), Err(CodecError));
        }
    }
}
