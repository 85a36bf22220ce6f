//! Names and ids in requests.

use super::input::{Input, text};
use strongroom::__internals::model::api::TagResource;
use strongroom::__internals::model::name::{is_account, is_region};
use strongroom::__internals::model::{
    Arn, Scope, SecretName, SecretRef, Stage, Suffix, Tag, VersionId,
};
use strongroom::__internals::semantics::validate::Check;

/// Any `SecretId` parses or is refused, and a parsed ARN prints as the same text.
pub(super) fn secret_id(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match SecretRef::parse(text) {
        Ok(SecretRef::Arn(arn)) => assert_eq!(arn.to_string(), text),
        Ok(SecretRef::Name(name)) => assert_eq!(name.as_str(), text),
        Ok(SecretRef::PartialArn(scope, name)) => {
            let (partition, Scope { account, region }) = (scope.partition(), &scope);
            let again = format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}");
            assert_eq!(again, text);
        }
        Ok(SecretRef::Nowhere) => assert!(text.starts_with("arn:")),
        Err(_) => (),
    }
}

/// Names, labels, tokens, regions, accounts and tags: accepted ones satisfy their constraints, and the ARN of
/// an accepted name finds its secret.
pub(super) fn names(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (choice, seed, text) = (input.u8(), input.array::<16>(), text(input.rest()));
    let chars = text.chars().count();
    match choice % 5 {
        0 => {
            let legal = |c: char| c.is_ascii_alphanumeric() || "/_+=.@!-".contains(c);
            let expected = (1..=512).contains(&chars) && text.chars().all(legal);
            let name = SecretName::parse(text);
            assert_eq!(name.is_ok(), expected, "{text:?}");
            if let (Ok(name), Some(suffix)) = (name, Suffix::from_random(&seed)) {
                assert!(suffix.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
                let scope = Scope::default();
                let arn = Arn { scope: scope.clone(), name: name.clone(), suffix };
                assert_eq!(SecretRef::parse(&arn.to_string()), Ok(SecretRef::Arn(arn)));
            }
        }
        1 => {
            let id = VersionId::parse(text);
            assert_eq!(id.is_some(), (32..=64).contains(&chars));
            assert!(id.is_none_or(|id| id.as_str() == text));
            let random = VersionId::from_random(seed);
            assert_eq!(VersionId::parse(random.as_str()), Some(random));
        }
        2 => {
            let stage = Stage::parse(text);
            assert_eq!(stage.is_some(), (1..=256).contains(&chars));
            assert!(stage.is_none_or(|stage| stage.to_string() == text));
        }
        3 => {
            let all = |text: &str, legal: fn(&u8) -> bool| text.as_bytes().iter().all(legal);
            if is_region(text) {
                assert!(all(text, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-'));
                assert!(!text.contains("--") && text.ends_with(|c: char| c.is_ascii_digit()));
            }
            assert_eq!(is_account(text), chars == 12 && all(text, u8::is_ascii_digit));
        }
        _ => tags(&seed, text),
    }
}

fn tags(seed: &[u8], text: &str) {
    let tags: Vec<Tag> = text
        .split('\n')
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() })
        .collect();
    let secret_id = super::input::text(seed).to_owned();
    let request = TagResource { secret_id, tags };
    if request.check().is_ok() {
        for tag in &request.tags {
            assert!((1..=128).contains(&tag.key.chars().count()), "{tag:?}");
            assert!(tag.value.chars().count() <= 256, "{tag:?}");
        }
        assert!(SecretRef::parse(&request.secret_id).is_ok());
    }
}
