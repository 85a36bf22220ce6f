//! Lists, pages, filters (SEM-LIST).

use super::{DAY, S, created, refused};
use crate::model::api::{Filter, ListSecretVersionIds, ListSecrets};
use crate::model::{RecordId, Seq};
use crate::semantics::FaultKind::{InvalidNextToken, InvalidParameter};
use crate::semantics::Upkeep;
use crate::semantics::memory::{World, token};

const BAD_TOKEN: &str = "The NextToken value is invalid.";

fn names(world: &World, request: &ListSecrets) -> Vec<String> {
    world.list(request).unwrap().secrets.into_iter().map(|secret| secret.name).collect()
}

fn filter(key: &str, values: &[&str]) -> Filter {
    let values = values.iter().map(ToString::to_string).collect();
    Filter { key: Some(key.into()), values: Some(values) }
}

fn found(world: &World, filters: &[Filter]) -> Vec<String> {
    names(world, &ListSecrets { filters: Some(filters.to_vec()), ..Default::default() })
}

fn with_names(names: &[&str]) -> World {
    let mut world = World::default();
    for name in names {
        world.create(name, "v1", Some("x")).unwrap();
    }
    world
}

fn with_descriptions(texts: &[&str]) -> World {
    let mut world = World::default();
    for (number, text) in texts.iter().enumerate() {
        let name = format!("s{number}");
        world.create(&name, "v1", None).unwrap();
        world.update(&name, "u", Some(text), None).unwrap();
    }
    world
}

/// The descriptions that one filter value selects.
fn described(world: &World, key: &str, value: &str) -> Vec<String> {
    let request = ListSecrets { filters: Some(vec![filter(key, &[value])]), ..Default::default() };
    let secrets = world.list(&request).unwrap().secrets;
    secrets.into_iter().filter_map(|secret| secret.description).collect()
}

/// All names, page by page.
fn pages(world: &World, request: &ListSecrets) -> Vec<Vec<String>> {
    let mut request = request.clone();
    let mut pages = Vec::new();
    loop {
        let page = world.list(&request).unwrap();
        pages.push(page.secrets.into_iter().map(|secret| secret.name).collect());
        request.next_token = page.next_token;
        assert!(pages.len() < 1000, "the list never comes to an end");
        if request.next_token.is_none() {
            return pages;
        }
    }
}

/// SEM-LIST-1
#[test]
fn a_description_shows_labelled_versions_in_the_order_of_their_ids() {
    let mut world = created();
    for (by, stages) in [("b", &["x"][..]), ("a", &["y", "z"]), ("c", &["x"])] {
        world.put(S, by, "x", stages).unwrap();
    }
    assert_eq!(world.labels(S), "v1{AWSCURRENT} a{y,z} c{x}", "in the order of their making");
    let described = world.describe(S).unwrap().versions_to_stages;
    let ids: Vec<_> = described.iter().map(|(version, _)| version.as_str()).collect();
    assert_eq!(ids, [token("a"), token("c"), token("v1")]);
    assert_eq!(
        world.list(&ListSecrets::default()).unwrap().secrets[0].versions_to_stages,
        described
    );
}

/// SEM-LIST-2, SEM-LIST-3: oldest first, hidden versions on request, page by page.
#[test]
fn versions_are_listed_oldest_first() {
    let mut world = created();
    for number in 2..=150 {
        world.put(S, &format!("v{number}"), "x", &[]).unwrap();
    }
    let request = ListSecretVersionIds { secret_id: S.into(), ..Default::default() };
    let ids = |request: &ListSecretVersionIds| {
        let page = world.list_versions(request).unwrap();
        let ids = page.versions.iter().map(|version| version.version_id.to_string());
        (ids.collect::<Vec<_>>(), page.next_token)
    };
    assert_eq!(ids(&request), (vec![token("v149"), token("v150")], None));
    let first = ListSecretVersionIds { max_results: Some(1), ..request.clone() };
    let (page, next_token) = ids(&first);
    assert_eq!(page, [token("v149")]);
    let (page, end) = ids(&ListSecretVersionIds { next_token, ..first });
    assert_eq!((page, end), (vec![token("v150")], None));
    let all = ListSecretVersionIds { include_deprecated: Some(true), ..request };
    let (page, next_token) = ids(&all);
    assert_eq!((page.len(), &page[99]), (100, &token("v100")));
    let (page, end) = ids(&ListSecretVersionIds { next_token, ..all.clone() });
    assert_eq!((page.len(), &page[0], end), (50, &token("v101"), None));
    let versions = world.list_versions(&all).unwrap().versions;
    assert!(versions[0].version_stages.is_empty());
}

/// SEM-LIST-4: E34 for what is not ours, another place for what merely could be.
#[test]
fn a_token_that_does_not_parse_is_refused() {
    let world = created();
    let id = "0".repeat(32);
    for token in ["x", "1", "1c", "1c0", "1v", "2c", "1c\u{e9}", &format!("1n{id}02"), "1C"] {
        let request = ListSecrets { next_token: Some(token.into()), ..Default::default() };
        refused(world.list(&request), InvalidNextToken, BAD_TOKEN);
    }
    for token in ["x", "1v", "1v0", "1v00000000000000000", "1vABCDEF0000000000", "1c"] {
        let request = ListSecretVersionIds {
            secret_id: S.into(),
            next_token: Some(token.into()),
            ..Default::default()
        };
        refused(world.list_versions(&request), InvalidNextToken, BAD_TOKEN);
    }
    for (last, count) in [("00", 1), ("ff", 0)] {
        let next_token = Some(format!("1c{}{last}", "0".repeat(30)));
        let request = ListSecrets { next_token, ..Default::default() };
        assert_eq!(world.list(&request).unwrap().secrets.len(), count);
    }
}

/// SEM-LIST-4: a token of another order is not ours.
#[test]
fn a_token_belongs_to_its_order() {
    let world = with_names(&["b", "a", "c"]);
    let by_name =
        ListSecrets { sort_by: Some("name".into()), max_results: Some(1), ..Default::default() };
    let token = world.list(&by_name).unwrap().next_token;
    let falling = ListSecrets {
        sort_order: Some("desc".into()),
        next_token: token.clone(),
        ..by_name.clone()
    };
    refused(world.list(&falling), InvalidNextToken, BAD_TOKEN);
    let created = ListSecrets { next_token: token.clone(), ..Default::default() };
    refused(world.list(&created), InvalidNextToken, BAD_TOKEN);
    let id = "0".repeat(32);
    let unmarked = ListSecrets { next_token: Some(format!("1n{id}0262")), ..by_name.clone() };
    refused(world.list(&unmarked), InvalidNextToken, BAD_TOKEN);
    assert_eq!(names(&world, &ListSecrets { next_token: token, ..by_name }), ["b"]);
}

/// SEM-LIST-5, SEM-LIST-3, SEM-LIST-6: what is made or removed meanwhile moves nobody else.
#[test]
fn pages_go_on_where_they_ended_while_others_write() {
    let many: Vec<String> = (0..250).map(|number| format!("s{}", 999 - number)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut world = with_names(&many);
    let unsized_pages = pages(&world, &ListSecrets::default());
    assert!(unsized_pages.iter().all(|page| page.len() == 10), "10 if it is not said");
    let mut request = ListSecrets { max_results: Some(100), ..Default::default() };
    let sizes: Vec<_> = pages(&world, &request).iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(pages(&world, &request).concat(), many, "in the order of creation");
    let first = world.list(&request).unwrap();
    world.delete("s999", None, Some(true)).unwrap();
    world.delete("s900", None, Some(true)).unwrap();
    world.create("aaa", "v1", None).unwrap();
    request.next_token = first.next_token;
    let rest = pages(&world, &request).concat();
    assert_eq!(rest[0], many[100]);
    assert_eq!((rest.len(), rest[150].as_str()), (151, "aaa"));
}

/// SEM-LIST-3
#[test]
fn the_last_page_has_no_token() {
    let world = with_names(&["a", "b"]);
    for (max_results, sizes) in [(1, &[1, 1][..]), (2, &[2]), (3, &[2])] {
        for sort_by in [None, Some("name".to_owned())] {
            let request =
                ListSecrets { max_results: Some(max_results), sort_by, ..Default::default() };
            let found: Vec<_> = pages(&world, &request).iter().map(Vec::len).collect();
            assert_eq!(found, sizes);
        }
    }
}

/// SEM-LIST-7: each order, both ways, in one page and in many.
#[test]
fn secrets_are_sorted_as_asked() {
    let mut world = with_names(&["b", "d", "a", "c", "e"]);
    for (name, pass) in [("d", 1), ("a", DAY), ("b", 1)] {
        world.pass(pass);
        world.tag(name, &[("k", "v")]).unwrap();
    }
    let day = world.wall();
    for (name, days) in [("c", 3), ("b", 1), ("d", 3)] {
        let id = world.id(name).unwrap();
        let day = day.plus(days * DAY);
        let touch = Upkeep::Touch { id, seq: Seq(1), on: id, day };
        world.run(&touch, None).unwrap();
    }
    for (by, rising, falling) in [
        ("created-date", "bdace", "ecadb"),
        ("name", "abcde", "edcba"),
        ("last-changed-date", "cedab", "badec"),
        ("last-accessed-date", "bdcae", "cdbea"),
    ] {
        for (order, expected) in [(None, rising), (Some("asc"), rising), (Some("desc"), falling)] {
            for max_results in [1, 2, 100] {
                let request = ListSecrets {
                    sort_by: Some(by.into()),
                    sort_order: order.map(str::to_owned),
                    max_results: Some(max_results),
                    ..Default::default()
                };
                let all = pages(&world, &request).concat().concat();
                assert_eq!(all, expected, "{by} {order:?} {max_results}");
            }
        }
    }
    let request = ListSecrets { sort_order: Some("desc".into()), ..Default::default() };
    assert_eq!(names(&world, &request).concat(), "ecadb");
}

/// SEM-LIST-7: dates before 1970 sort before those after it.
#[test]
fn dates_of_either_sign_are_sorted() {
    let mut world = World::default();
    for (name, wall) in [("late", 1), ("early", -2), ("middle", -1)] {
        world.now.wall = crate::env::UnixMillis(wall);
        world.create(name, "v1", None).unwrap();
    }
    let sort_by = Some("last-changed-date".to_owned());
    let request = ListSecrets { sort_by, ..Default::default() };
    assert_eq!(names(&world, &request), ["early", "middle", "late"]);
}

/// SEM-LIST-8: the page ends early, and following its token finds the rest.
#[test]
fn a_rare_match_does_not_hold_up_a_page() {
    let mut world = with_names(&["first"]);
    let record = world.view.secrets.values().next().unwrap().clone();
    for number in 1..=11_000_u64 {
        let mut copy = record.clone();
        copy.id = RecordId((u128::from(number) << 20).to_be_bytes());
        if number == 10_999 {
            copy.tags = Some(vec![crate::model::Tag { key: "rare".into(), value: String::new() }]);
        }
        world.view.secrets.insert(copy.id, copy);
    }
    let filters = Some(vec![filter("tag-key", &["rare"])]);
    let mut request = ListSecrets { filters, ..Default::default() };
    let page = world.list(&request).unwrap();
    assert!(page.secrets.is_empty());
    request.next_token = page.next_token;
    assert!(request.next_token.is_some());
    let page = world.list(&request).unwrap();
    assert_eq!((page.secrets.len(), page.next_token), (1, None));
}

/// SEM-LIST-18
#[test]
fn only_the_callers_account_and_region_is_listed() {
    let mut world = with_names(&["here"]);
    world.scope = crate::model::Scope::new("000000000000", "eu-west-1");
    assert!(names(&world, &ListSecrets::default()).is_empty());
    world.create("there", "v1", None).unwrap();
    assert_eq!(names(&world, &ListSecrets::default()), ["there"]);
}

/// SEM-LIST-10
#[test]
fn filters_are_joined_by_and_their_values_by_or() {
    let world = with_names(&["app/one", "app/two", "web/one"]);
    assert_eq!(found(&world, &[filter("name", &["app", "web"])]).len(), 3);
    let both = [filter("name", &["app"]), filter("all", &["one"])];
    assert_eq!(found(&world, &both), ["app/one"]);
    let same_key = [filter("name", &["app/", "web/"]), filter("name", &["app/t", "web/x"])];
    assert_eq!(found(&world, &same_key), ["app/two"]);
}

/// SEM-LIST-11
#[test]
fn name_and_tags_compare_the_start_and_its_case() {
    let mut world = with_names(&["testing1", "Testing2", "mytesting"]);
    world.tag("testing1", &[("Env", "Prod one")]).unwrap();
    let id = world.id("mytesting").unwrap();
    world.view.secrets.get_mut(&id).unwrap().owning_service = Some("rds".into());
    for (key, value, expected) in [
        ("name", "testing", &["testing1"][..]),
        ("name", "testing1 one", &[]),
        ("name", "ting", &[]),
        ("tag-key", "Env", &["testing1"]),
        ("tag-key", "E", &["testing1"]),
        ("tag-key", "env", &[]),
        ("tag-value", "Prod", &["testing1"]),
        ("tag-value", "Prod o", &["testing1"]),
        ("tag-value", "one", &[]),
        ("owning-service", "rd", &["mytesting"]),
        ("owning-service", "RD", &[]),
        ("primary-region", "us-east-1", &[]),
    ] {
        assert_eq!(found(&world, &[filter(key, &[value])]), expected, "{key} {value}");
    }
}

/// SEM-LIST-12: the recorded examples of the description filter.
#[test]
fn descriptions_are_compared_by_words() {
    let world = with_descriptions(&["a secret", "an secret", "asecret", "thesecret"]);
    assert_eq!(described(&world, "description", "a"), ["a secret", "an secret", "asecret"]);
    assert_eq!(described(&world, "description", "A"), ["a secret", "an secret", "asecret"]);
    assert_eq!(described(&world, "description", "a secret"), ["a secret", "an secret"]);
    assert!(described(&world, "description", "+").is_empty());
    assert!(described(&world, "description", "").is_empty());
    let world = with_descriptions(&["one two", "one and two", "one"]);
    assert_eq!(described(&world, "description", "o t"), ["one two", "one and two"]);
    let world = with_descriptions(&["AppBeta", "COMPANY", "COMPANYthings"]);
    assert_eq!(described(&world, "description", "beta"), ["AppBeta"]);
    assert_eq!(described(&world, "description", "company"), ["COMPANY"]);
    assert!(described(&world, "description", "things").is_empty());
    assert_eq!(described(&world, "description", "Ythings"), ["COMPANYthings"]);
}

/// SEM-LIST-13: the recorded examples of the `all` filter.
#[test]
fn all_compares_words_within_one_attribute() {
    let mut world = with_names(&["SecretOne", "SecretTwo", "Thirdsecret"]);
    world.update("SecretTwo", "u", Some("DescTwo"), None).unwrap();
    world.tag("SecretOne", &[("foo", "x")]).unwrap();
    world.tag("Thirdsecret", &[("y", "foo")]).unwrap();
    for (value, expected) in [
        ("secret", &["SecretOne", "SecretTwo"][..]),
        ("Secret", &["SecretOne", "SecretTwo"]),
        ("sec", &["SecretOne", "SecretTwo"]),
        ("ret", &[]),
        ("SecretOne", &["SecretOne"]),
        ("foo", &["SecretOne", "Thirdsecret"]),
        ("d t", &["SecretTwo"]),
        ("One foo", &[]),
    ] {
        assert_eq!(found(&world, &[filter("all", &[value])]), expected, "{value}");
    }
}

/// SEM-LIST-14
#[test]
fn a_negation_selects_the_others() {
    let world = with_names(&["/app", "web"]);
    assert_eq!(found(&world, &[filter("name", &["!/"])]), ["web"]);
    assert_eq!(found(&world, &[filter("name", &["web", "!/"])]), ["web"]);
    assert_eq!(found(&world, &[filter("name", &["/app", "!/"])]).len(), 2);
    assert_eq!(found(&world, &[filter("description", &["!a"])]).len(), 2, "has none");
    assert_eq!(found(&world, &[filter("primary-region", &["!us"])]).len(), 2, "has none");
    let world = with_descriptions(&["a secret", "the secret"]);
    assert_eq!(described(&world, "description", "!a"), ["the secret"]);
    assert_eq!(described(&world, "description", "!c"), ["a secret", "the secret"]);
}

/// SEM-LIST-16: E37.
#[test]
fn a_filter_needs_key_and_values() {
    let world = created();
    let list = |filter: Filter| {
        world.list(&ListSecrets { filters: Some(vec![filter]), ..Default::default() })
    };
    let no_key = Filter { key: None, values: Some(vec!["x".into()]) };
    refused(list(no_key), InvalidParameter, "Invalid filter key");
    let no_values = Filter { key: Some("name".into()), values: None };
    refused(list(no_values), InvalidParameter, "Invalid filter values for key: name");
}
