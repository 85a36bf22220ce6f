//! The rotation of a secret, inside its row: bytes with their own version byte (rule ROW-12).

use super::versioned;
use crate::codec::CodecError;
use crate::env::UnixMillis;
use crate::model::api::RotationRules;
use crate::model::{Rotation, RotationStep, RunningRotation, VersionId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct RotationV1 {
    enabled: bool,
    function: String,
    rules: Option<RulesV1>,
    last_rotated: Option<i64>,
    counted_from: i64,
    last_token: Option<String>,
    running: Option<RunningV1>,
}

#[derive(Serialize, Deserialize)]
struct RulesV1 {
    days: Option<i64>,
    duration: Option<String>,
    expression: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RunningV1 {
    token: String,
    only_test: bool,
    step: u8,
    failures: u32,
    not_before: Option<i64>,
}

pub(super) fn encode(rotation: &Rotation) -> Result<Vec<u8>, CodecError> {
    let r = rotation;
    versioned::encode(&RotationV1 {
        enabled: r.enabled,
        function: r.function.clone(),
        rules: r.rules.as_ref().map(|rules| RulesV1 {
            days: rules.automatically_after_days,
            duration: rules.duration.clone(),
            expression: rules.schedule_expression.clone(),
        }),
        last_rotated: r.last_rotated.map(|at| at.0),
        counted_from: r.counted_from.0,
        last_token: r.last_token.as_ref().map(|token| token.as_str().to_owned()),
        running: r.running.as_ref().map(|running| RunningV1 {
            token: running.token.as_str().to_owned(),
            only_test: running.only_test,
            step: match running.step {
                RotationStep::CreateSecret => 1,
                RotationStep::SetSecret => 2,
                RotationStep::TestSecret => 3,
                RotationStep::FinishSecret => 4,
            },
            failures: running.failures,
            not_before: running.not_before.map(|at| at.0),
        }),
    })
}

pub(super) fn decode(bytes: &[u8]) -> Result<Rotation, CodecError> {
    let r: RotationV1 = versioned::decode(bytes)?;
    let running = r.running.map(|running| {
        Ok(RunningRotation {
            token: VersionId::parse(&running.token).ok_or(CodecError)?,
            only_test: running.only_test,
            step: match running.step {
                1 => RotationStep::CreateSecret,
                2 => RotationStep::SetSecret,
                3 => RotationStep::TestSecret,
                4 => RotationStep::FinishSecret,
                _ => return Err(CodecError),
            },
            failures: running.failures,
            not_before: running.not_before.map(UnixMillis),
        })
    });
    Ok(Rotation {
        enabled: r.enabled,
        function: r.function,
        rules: r.rules.map(|rules| RotationRules {
            automatically_after_days: rules.days,
            duration: rules.duration,
            schedule_expression: rules.expression,
        }),
        last_rotated: r.last_rotated.map(UnixMillis),
        counted_from: UnixMillis(r.counted_from),
        last_token: r
            .last_token
            .map(|token| VersionId::parse(&token).ok_or(CodecError))
            .transpose()?,
        running: running.transpose()?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rotation() -> Rotation {
        Rotation {
            enabled: true,
            function: "f".into(),
            rules: Some(RotationRules {
                automatically_after_days: Some(7),
                duration: None,
                schedule_expression: Some("e".into()),
            }),
            last_rotated: Some(UnixMillis(-1)),
            counted_from: UnixMillis(2),
            last_token: VersionId::parse(&"t".repeat(32)),
            running: Some(RunningRotation {
                token: VersionId::parse(&"t".repeat(32)).unwrap(),
                only_test: false,
                step: RotationStep::FinishSecret,
                failures: 3,
                not_before: Some(UnixMillis(4)),
            }),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let full = rotation();
        assert_eq!(decode(&encode(&full).unwrap()).unwrap(), full);
        let bare = Rotation { rules: None, last_token: None, running: None, ..full };
        assert_eq!(decode(&encode(&bare).unwrap()).unwrap(), bare);
    }

    /// ROW-12: every byte where the format says it is.
    #[test]
    fn the_bytes_are_those_of_the_format() {
        let mut expected = vec![1, 1];
        let text = |out: &mut Vec<u8>, text: &str| {
            out.extend((text.len() as u64).to_le_bytes());
            out.extend(text.bytes());
        };
        text(&mut expected, "f");
        expected.extend([1, 1]);
        expected.extend(7_i64.to_le_bytes());
        expected.extend([0, 1]);
        text(&mut expected, "e");
        expected.push(1);
        expected.extend((-1_i64).to_le_bytes());
        expected.extend(2_i64.to_le_bytes());
        expected.push(1);
        text(&mut expected, &"t".repeat(32));
        expected.push(1);
        text(&mut expected, &"t".repeat(32));
        expected.extend([0, 4]);
        expected.extend(3_u32.to_le_bytes());
        expected.push(1);
        expected.extend(4_i64.to_le_bytes());
        assert_eq!(encode(&rotation()).unwrap(), expected);
    }

    #[test]
    fn a_step_that_there_is_not_is_no_rotation() {
        let mut bytes = encode(&rotation()).unwrap();
        let at = bytes.len() - 14;
        assert_eq!(bytes.get(at), Some(&4));
        *bytes.get_mut(at).unwrap() = 5;
        assert!(decode(&bytes).is_err());
        assert!(decode(&[]).is_err());
        assert!(decode(&[2, 1]).is_err());
    }
}
