//! `BatchGetSecretValue` (SEM-BATCH): what is asked for, and which secrets that means.

use super::refused;
use crate::model::api::{BatchGetSecretValue, Filter};
use crate::semantics::Fault;
use crate::semantics::FaultKind::{InvalidNextToken, InvalidParameter};
use crate::semantics::batch::{self, Selected, Selection};
use crate::semantics::memory::World;
use crate::semantics::validate::Checked;

const EITHER: &str = "Either 'SecretIdList' or 'Filters' must be provided, but not both.";
const NO_FILTERS: &str =
    "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.";

fn ids(ids: &[&str]) -> BatchGetSecretValue {
    let ids = ids.iter().map(ToString::to_string).collect();
    BatchGetSecretValue { secret_id_list: Some(ids), ..Default::default() }
}

fn named(start: &str) -> BatchGetSecretValue {
    let filter = Filter { key: Some("name".into()), values: Some(vec![start.into()]) };
    BatchGetSecretValue { filters: Some(vec![filter]), ..Default::default() }
}

fn page(world: &World, request: &BatchGetSecretValue) -> Result<Selected, Fault> {
    world.read(request)
}

fn selection(request: &BatchGetSecretValue) -> Result<Selection<'_>, Fault> {
    let ids = request.secret_id_list.as_deref().unwrap_or_default();
    Checked::new(request.clone()).map(|request| match batch::selection(&request) {
        Selection::Ids(_) => Selection::Ids(ids),
        Selection::Filters => Selection::Filters,
    })
}

/// The names on a page.
fn names(page: &Selected) -> Vec<&str> {
    let name = |arn| str::rsplit(arn, ':').next().and_then(|rest| rest.rsplit_once('-'));
    page.arns.iter().map(|arn| name(arn.as_str()).unwrap().0).collect()
}

/// SEM-BATCH-1: E35, E36.
#[test]
fn a_batch_is_by_ids_or_by_filters() {
    assert_eq!(selection(&ids(&["b", "a"])), Ok(Selection::Ids(&["b".into(), "a".into()])));
    assert_eq!(selection(&named("a")), Ok(Selection::Filters));
    let both = BatchGetSecretValue { filters: named("a").filters, ..ids(&["a"]) };
    refused(selection(&both), InvalidParameter, EITHER);
    refused(selection(&BatchGetSecretValue::default()), InvalidParameter, EITHER);
    let empty = BatchGetSecretValue { filters: Some(Vec::new()), ..Default::default() };
    refused(selection(&empty), InvalidParameter, EITHER);
    for request in [ids(&["a"]), empty, BatchGetSecretValue::default()] {
        let sized = BatchGetSecretValue { max_results: Some(5), ..request };
        refused(selection(&sized), InvalidParameter, NO_FILTERS);
    }
}

/// SEM-BATCH-2: at most 20, by either way.
#[test]
fn a_batch_has_at_most_twenty() {
    assert!(selection(&ids(&["a"; 20])).is_ok());
    for (request, told) in [
        (
            ids(&["a"; 21]),
            "at 'secretIdList' failed to satisfy constraint: Member must have length less than or equal to 20",
        ),
        (
            ids(&[]),
            "at 'secretIdList' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (ids(&["a", ""]), "Value '' at 'secretIdList.2.member' failed"),
        (
            BatchGetSecretValue { max_results: Some(21), ..named("a") },
            "Value '21' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 20",
        ),
        (
            BatchGetSecretValue { max_results: Some(0), ..named("a") },
            "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
    ] {
        let fault = selection(&request).unwrap_err();
        assert!(fault.message.contains(told), "{}", fault.message);
    }
    let mut world = World::default();
    for number in 0..25 {
        world.create(&format!("s{number:02}"), "v1", Some("x")).unwrap();
    }
    let first = page(&world, &named("s")).unwrap();
    assert_eq!((first.arns.len(), names(&first)[19]), (20, "s19"));
    let rest = BatchGetSecretValue { next_token: first.next_token, ..named("s") };
    let rest = page(&world, &rest).unwrap();
    assert_eq!(names(&rest), ["s20", "s21", "s22", "s23", "s24"]);
    assert_eq!(rest.next_token, None);
}

/// SEM-BATCH-4, SEM-BATCH-5: the filters and tokens of `ListSecrets`, in the order of creation.
#[test]
fn filters_and_tokens_are_those_of_a_list() {
    let mut world = World::default();
    for name in ["app/b", "web", "app/a", "app/c"] {
        world.create(name, "v1", Some("x")).unwrap();
    }
    let mut request = BatchGetSecretValue { max_results: Some(2), ..named("app/") };
    let first = page(&world, &request).unwrap();
    assert_eq!(names(&first), ["app/b", "app/a"]);
    request.next_token = first.next_token;
    let second = page(&world, &request).unwrap();
    assert_eq!((names(&second), second.next_token.as_deref()), (vec!["app/c"], None));
    request.next_token = Some("1n00".into());
    refused(page(&world, &request), InvalidNextToken, "The NextToken value is invalid.");
    let keyless = Filter { key: None, values: Some(vec!["x".into()]) };
    let request = BatchGetSecretValue { filters: Some(vec![keyless]), ..Default::default() };
    refused(page(&world, &request), InvalidParameter, "Invalid filter key");
}

/// SEM-BATCH-6
#[test]
fn filters_do_not_select_what_is_scheduled_for_deletion() {
    let mut world = World::default();
    for name in ["a1", "a2", "a3"] {
        world.create(name, "v1", Some("x")).unwrap();
    }
    world.delete("a2", None, None).unwrap();
    assert_eq!(names(&page(&world, &named("a")).unwrap()), ["a1", "a3"]);
}

/// SEM-BATCH-7: a secret that was deleted since it was selected is left out; other refusals are reported.
#[test]
fn only_a_deletion_takes_a_secret_out_of_a_selection() {
    use crate::semantics::batch::is_no_longer_selected;
    use crate::semantics::memory::token;
    let mut world = World::default();
    world.create("a", "c", None).unwrap();
    let faults = |world: &World| world.get("a").map(drop).unwrap_err();
    assert!(!is_no_longer_selected(&faults(&world)), "no value");
    world.put("a", "v", "x", &[]).unwrap();
    assert_eq!(world.get("a").unwrap().version.version_id.as_str(), token("v"));
    world.delete("a", None, None).unwrap();
    assert!(is_no_longer_selected(&faults(&world)));
    world.restore("a").unwrap();
    world.delete("a", None, Some(true)).unwrap();
    assert!(is_no_longer_selected(&faults(&world)));
}
