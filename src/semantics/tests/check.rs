//! The order of checks, the grammar of broken constraints, the texts (SEM-CHECK).

use super::{S, Shape, created, refused, scheduled};
use crate::model::api::{
    CreateSecret, Filter, GetSecretValue, ListSecretVersionIds, ListSecrets, PutSecretValue,
    TagResource, UntagResource, UpdateSecret, UpdateSecretVersionStage,
};
use crate::model::{Tag, limits};
use crate::secret::PayloadKind;
use crate::semantics::FaultKind::{InvalidRequest, ResourceNotFound, Validation};
use crate::semantics::memory::{Mutation, World, token};
use crate::semantics::validate::Check;
use crate::semantics::{Fault, validate};

const NO_TOKEN: &str =
    "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
const BAD_NAME: &str = "Invalid name. Must be a valid name containing alphanumeric characters, or \
                        any of the following: -/_+=.@!";

#[track_caller]
fn violates<T: std::fmt::Debug>(result: Result<T, Fault>, items: &[&str]) {
    let plural = if items.len() == 1 { "" } else { "s" };
    let items_text = items.join("; ");
    let text = format!("{} validation error{plural} detected: {items_text}", items.len());
    refused(result, Validation, &text);
}

fn put(secret_id: &str, by: Option<&str>, value: Option<PayloadKind>) -> Mutation {
    Mutation::PutSecretValue(PutSecretValue {
        secret_id: secret_id.into(),
        client_request_token: by.map(str::to_owned),
        value,
        version_stages: None,
        rotation_token: None,
    })
}

/// SEM-CHECK-1: each check hides the ones after it.
#[test]
fn checks_come_in_the_order_of_aws() {
    let mut world = scheduled();
    let long = "a ".repeat(2000);
    let constraint = world.run(&put(&long, None, None), None).unwrap_err();
    assert!(constraint.message.starts_with("1 validation error detected"), "{constraint:?}");
    refused(world.run(&put("a b", None, None), None), Validation, BAD_NAME);
    refused(world.run(&put("none", None, None), None), InvalidRequest, NO_TOKEN);
    let token = token("t");
    let unknown = "Secrets Manager can't find the specified secret.";
    refused(world.run(&put("none", Some(&token), None), None), ResourceNotFound, unknown);
    let marked =
        "You can't perform this operation on the secret because it was marked for deletion.";
    refused(world.run(&put(S, Some(&token), None), None), InvalidRequest, marked);
    world.restore(S).unwrap();
    let no_value = "You must provide either SecretString or SecretBinary.";
    refused(world.run(&put(S, Some(&token), None), None), InvalidRequest, no_value);
}

/// SEM-CHECK-4: E10 in all three, for an update that needs none too.
#[test]
fn a_request_without_a_token_is_refused() {
    let mut world = created();
    let create = CreateSecret::<PayloadKind>::new("new");
    let update = UpdateSecret::<PayloadKind>::new(S);
    for mutation in [
        put(S, None, Some(PayloadKind::String)),
        Mutation::CreateSecret(create),
        Mutation::UpdateSecret(update),
    ] {
        refused(world.run(&mutation, Some(World::text("x"))), InvalidRequest, NO_TOKEN);
    }
}

/// SEM-CHECK-2: the texts that no other test spells out in full.
#[test]
fn refusals_are_worded_as_aws_words_them() {
    let mut world = created();
    let fault = world.create(S, "new", None).unwrap_err();
    assert_eq!(fault.kind.name(), "ResourceExistsException");
    assert_eq!(fault.message, "The operation failed because the secret app/db already exists.");
    let arn = world.describe(S).unwrap().arn;
    let fault = world.put(S, "v1", "other", &[]).unwrap_err();
    let token = token("v1");
    assert_eq!(
        fault.message,
        format!(
            "You can't use ClientRequestToken {token} because that value is already in use for a \
             version of secret {arn}."
        )
    );
    let fault = world.get("none").unwrap_err();
    assert_eq!(fault.kind.name(), "ResourceNotFoundException");
}

/// SEM-CHECK-3: one item per broken constraint, in the order of the members.
#[test]
fn all_broken_constraints_are_reported_at_once() {
    let long_key = "k".repeat(129);
    let long_value = "v".repeat(257);
    let request = CreateSecret {
        client_request_token: Some("short".into()),
        value: Some(Shape(PayloadKind::String, 70_000)),
        description: Some("d".repeat(2049)),
        tags: Some(vec![
            Tag { key: "fine".into(), value: String::new() },
            Tag { key: String::new(), value: long_value.clone() },
            Tag { key: long_key.clone(), value: String::new() },
        ]),
        ..CreateSecret::new("")
    };
    violates(
        request.check(),
        &[
            "Value '' at 'name' failed to satisfy constraint: Member must have length greater than \
             or equal to 1",
            "Value 'short' at 'clientRequestToken' failed to satisfy constraint: Member must have \
             length greater than or equal to 32",
            &format!(
                "Value '{}' at 'description' failed to satisfy constraint: Member must have length \
                 less than or equal to 2048",
                "d".repeat(2049)
            ),
            "Value at 'secretString' failed to satisfy constraint: Member must have length less \
             than or equal to 65536",
            "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length \
             greater than or equal to 1",
            &format!(
                "Value '{long_value}' at 'tags.2.member.value' failed to satisfy constraint: \
                 Member must have length less than or equal to 256"
            ),
            &format!(
                "Value '{long_key}' at 'tags.3.member.key' failed to satisfy constraint: Member \
                 must have length less than or equal to 128"
            ),
        ],
    );
}

/// SEM-CHECK-3: each member with a limit, one over it; and exactly on it.
#[test]
fn every_limit_of_the_model_is_checked() {
    let over = |path: &str, value: &str, limit: usize| {
        format!(
            "Value '{value}' at '{path}' failed to satisfy constraint: Member must have length \
             less than or equal to {limit}"
        )
    };
    let (id, long_id) = ("i".repeat(65), "s".repeat(2049));
    let (stage, key) = ("l".repeat(257), "k".repeat(2049));
    let request = GetSecretValue {
        secret_id: long_id.clone(),
        version_id: Some(id.clone()),
        version_stage: Some(stage.clone()),
    };
    let items = [
        over("secretId", &long_id, 2048),
        over("versionId", &id, 64),
        over("versionStage", &stage, 256),
    ];
    violates(request.check(), &items.each_ref().map(String::as_str));
    let request = UpdateSecretVersionStage {
        secret_id: S.into(),
        version_stage: stage.clone(),
        remove_from_version_id: Some(id.clone()),
        move_to_version_id: Some(id.clone()),
    };
    let items = [
        over("versionStage", &stage, 256),
        over("removeFromVersionId", &id, 64),
        over("moveToVersionId", &id, 64),
    ];
    violates(request.check(), &items.each_ref().map(String::as_str));
    let request = UpdateSecret::<PayloadKind> {
        kms_key_id: Some(key.clone()),
        client_request_token: Some(id.clone()),
        ..UpdateSecret::new(S)
    };
    let items = [over("clientRequestToken", &id, 64), over("kmsKeyId", &key, 2048)];
    violates(request.check(), &items.each_ref().map(String::as_str));
    let mut request = PutSecretValue {
        client_request_token: Some(token("t")),
        version_stages: Some(vec!["fine".into(), stage.clone()]),
        ..PutSecretValue::<PayloadKind>::new(S, PayloadKind::String)
    };
    let item = over("versionStages.2.member", &stage, 256);
    violates(request.check(), &[&item]);
    request.version_stages = Some(vec!["x".into(); 21]);
    let item = over("versionStages", &format!("[{}]", ["x"; 21].join(", ")), limits::STAGES_MAX);
    violates(request.check(), &[&item]);
    request.version_stages = Some(vec!["x".repeat(256); 20]);
    request.check().unwrap();
    let request = UntagResource { secret_id: S.into(), tag_keys: vec![String::new()] };
    let item = "Value '' at 'tagKeys.1.member' failed to satisfy constraint: Member must have \
                length greater than or equal to 1";
    violates(request.check(), &[item]);
    let tag = Tag { key: "k".repeat(128), value: "v".repeat(256) };
    TagResource { secret_id: S.into(), tags: vec![tag] }.check().unwrap();
}

/// SEM-CHECK-3, SEM-LIST-3: the parameters of pages.
#[test]
fn page_parameters_are_checked() {
    for (max_results, must) in [
        (0, "greater than or equal to 1"),
        (-1, "greater than or equal to 1"),
        (101, "less than or equal to 100"),
        (i64::MAX, "less than or equal to 100"),
    ] {
        let item = format!(
            "Value '{max_results}' at 'maxResults' failed to satisfy constraint: Member must have \
             value {must}"
        );
        let list = ListSecrets { max_results: Some(max_results), ..Default::default() };
        violates(list.check(), &[&item]);
        let list = ListSecretVersionIds {
            secret_id: S.into(),
            max_results: Some(max_results),
            ..Default::default()
        };
        violates(list.check(), &[&item]);
    }
    let list = ListSecrets { next_token: Some(String::new()), ..Default::default() };
    let item = "Value '' at 'nextToken' failed to satisfy constraint: Member must have length \
                greater than or equal to 1";
    violates(list.check(), &[item]);
}

/// SEM-LIST-15, SEM-CHECK-3
#[test]
fn filters_and_orders_are_checked() {
    let filter = |key: &str, values: &[&str]| Filter {
        key: Some(key.into()),
        values: Some(values.iter().map(ToString::to_string).collect()),
    };
    let request = ListSecrets {
        filters: Some(vec![
            filter("x", &["fine"]),
            filter("name", &[]),
            filter("all", &["a", "*"]),
        ]),
        sort_by: Some("size".into()),
        sort_order: Some("up".into()),
        ..Default::default()
    };
    violates(
        request.check(),
        &[
            "Value 'x' at 'filters.1.member.key' failed to satisfy constraint: Member must satisfy \
             enum value set: [description, name, tag-key, tag-value, primary-region, \
             owning-service, all]",
            "Value '[]' at 'filters.2.member.values' failed to satisfy constraint: Member must \
             have length greater than or equal to 1",
            r"Value '*' at 'filters.3.member.values.2.member' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$",
            "Value 'up' at 'sortOrder' failed to satisfy constraint: Member must satisfy enum value \
             set: [asc, desc]",
            "Value 'size' at 'sortBy' failed to satisfy constraint: Member must satisfy enum value \
             set: [created-date, last-accessed-date, last-changed-date, name]",
        ],
    );
    let eleven =
        ListSecrets { filters: Some(vec![filter("all", &["v"]); 11]), ..Default::default() };
    let shown = ["Filter(key=all, values=[v])"; 11].join(", ");
    let item = format!(
        "Value '[{shown}]' at 'filters' failed to satisfy constraint: Member must have length less \
         than or equal to 10"
    );
    violates(eleven.check(), &[&item]);
}

/// SEM-CHECK-5: no frontend bypasses the checks.
#[test]
fn planning_checks_the_request_again() {
    let mut world = created();
    let short = PutSecretValue {
        client_request_token: Some("short".into()),
        ..PutSecretValue::<PayloadKind>::new(S, PayloadKind::String)
    };
    let result = world.run(&Mutation::PutSecretValue(short), Some(World::text("x")));
    assert_eq!(result.unwrap_err().kind, Validation);
    let request = ListSecrets { max_results: Some(0), ..Default::default() };
    assert_eq!(world.list(&request).unwrap_err().kind, Validation);
    assert_eq!(world.move_stage(S, "", None, Some("v1")).unwrap_err().kind, Validation);
    assert_eq!(world.tag(S, &[("", "")]).unwrap_err().kind, Validation);
    assert_eq!(world.get("").unwrap_err().kind, Validation);
    assert_eq!(world.create("", "t", None).unwrap_err().kind, Validation);
}

/// SEM-CHECK-6: for members that only the wire can leave out.
#[test]
fn a_missing_member_is_null() {
    assert_eq!(validate::missing(&[]), None);
    violates(
        Err::<(), _>(validate::missing(&["secretId", "versionStage"]).unwrap()),
        &[
            "Value null at 'secretId' failed to satisfy constraint: Member must not be null",
            "Value null at 'versionStage' failed to satisfy constraint: Member must not be null",
        ],
    );
}
