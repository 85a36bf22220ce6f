//! A request is parsed once, on its way from the caller to the commit pipeline and back.

use super::World;
use crate::env::sim::Sim;
use crate::model::api::{
    CreateSecret, DescribeSecret, GetSecretValue, PutSecretValue, UpdateSecret,
};
use crate::model::name::parses::{Parses, during};
use crate::secret::SecretValue;

const NAME: &str = "app/db";

fn value(text: &str) -> SecretValue {
    SecretValue::String(text.to_owned().into())
}

fn token(number: u8) -> String {
    format!("{number:032}")
}

/// The `SecretId` and the token are parsed once for a write, and the `SecretId` once for a read.
#[test]
fn a_request_is_parsed_once() {
    let vault = World::on(&Sim::new(1)).create();
    let create = CreateSecret { client_request_token: Some(token(1)), ..CreateSecret::new(NAME) };
    let create = CreateSecret { value: Some(value("one")), ..create };
    let parses = during(|| drop(vault.create_secret(create).unwrap()));
    assert_eq!(parses, Parses { references: 0, version_ids: 1 });

    let put = PutSecretValue {
        client_request_token: Some(token(2)),
        ..PutSecretValue::new(NAME, value("two"))
    };
    let parses = during(|| drop(vault.put_secret_value(put).unwrap()));
    assert_eq!(parses, Parses { references: 1, version_ids: 1 });

    let update = UpdateSecret {
        client_request_token: Some(token(3)),
        description: Some("d".to_owned()),
        ..UpdateSecret::new(NAME)
    };
    let parses = during(|| drop(vault.update_secret(update).unwrap()));
    assert_eq!(parses, Parses { references: 1, version_ids: 1 });

    let parses = during(|| drop(vault.get_secret_value(GetSecretValue::new(NAME)).unwrap()));
    assert_eq!(parses.references, 1);
    let parses = during(|| drop(vault.describe_secret(DescribeSecret::new(NAME)).unwrap()));
    assert_eq!(parses.references, 1);
}
