//! Filters of secret lists, and tokens of pages.

use super::input::{Input, text};
use crate::world::memory::{Mutation, World};
use std::sync::LazyLock;
use strongroom::__internals::model::Tag;
use strongroom::__internals::model::api::{
    Filter, ListResourcePolicies, ListSecretVersionIds, ListSecrets, ListSecretsResponse,
    PutResourcePolicy,
};
use strongroom::__internals::semantics::{Fault, FaultKind, internals};

const POLICY: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;

/// A small vault: names, descriptions and tags of many shapes, three versions, a policy.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut world = World::default();
    let secrets: [(&str, Option<&str>, &[(&str, &str)]); 6] = [
        ("app/db", Some("The main Database"), &[("env", "prod"), ("Team", "Data")]),
        ("app/queue", Some("COMPANYthings and more"), &[("env", "test")]),
        ("AppBeta", None, &[]),
        ("other_1+2=3.x@y!z-w", Some("!odd"), &[("!k", "!v"), ("", "")]),
        ("ProdCache", Some("\u{e4}\u{df}\u{130} caf\u{e9}"), &[("aws:x", "y")]),
        ("z", Some(" "), &[("env", "")]),
    ];
    for (name, description, tags) in secrets {
        world.create(name, "v1", Some("x")).unwrap();
        world.pass(1000);
        let id = *world.view.secrets.keys().next_back().unwrap();
        let record = world.view.secrets.get_mut(&id).unwrap();
        record.description = description.map(str::to_owned);
        let tag = |(key, value): &(&str, &str)| Tag { key: (*key).into(), value: (*value).into() };
        record.tags = (!tags.is_empty()).then(|| tags.iter().map(tag).collect());
        if name.len() % 2 == 0 {
            record.last_accessed = Some(record.created);
        }
    }
    world.put("app/db", "v2", "y", &[]).unwrap();
    world.put("app/db", "v3", "z", &["Mine"]).unwrap();
    let attach = PutResourcePolicy {
        secret_id: "app/db".into(),
        resource_policy: POLICY.into(),
        policy_name: None,
        block_public_policy: None,
    };
    world.run(&Mutation::PutResourcePolicy(attach), None).unwrap();
    world
});

const KEYS: [&str; 8] = [
    "name",
    "description",
    "tag-key",
    "tag-value",
    "primary-region",
    "owning-service",
    "all",
    "other",
];
const SORT_KEYS: [&str; 5] =
    ["created-date", "last-accessed-date", "last-changed-date", "name", "other"];

fn list(request: &ListSecrets) -> Result<ListSecretsResponse, Fault> {
    WORLD.read(request)
}

/// Filters are joined by AND, their values by OR, and a leading `!` negates. A list contains exactly the
/// selected secrets. One in four inputs also reads it in pages of any size, which takes longer.
pub(super) fn filter(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (choice, size) = (input.u8(), i64::from(input.u8() % 16) + 1);
    let mut filters = Vec::new();
    while !input.is_empty() && filters.len() < 4 {
        let (key, count) = (input.u8(), input.u8() % 3 + 1);
        let values = (0..count).map(|_| text(input.short()).to_owned()).collect();
        let key = KEYS[usize::from(key % 8)].to_owned();
        filters.push(Filter { key: Some(key), values: Some(values) });
    }
    for record in WORLD.view.secrets.values() {
        let one = |filter: &Filter, value: &str| {
            let values = Some(vec![value.to_owned()]);
            internals::selects(&[Filter { key: filter.key.clone(), values }], record)
        };
        let each = filters.iter().all(|filter| {
            let values = filter.values.as_deref().unwrap_or_default();
            for value in values.iter().filter(|value| !value.starts_with('!')) {
                assert_ne!(one(filter, value), one(filter, &format!("!{value}")), "{filter:?}");
            }
            values.iter().any(|value| one(filter, value))
        });
        assert_eq!(internals::selects(&filters, record), each, "{filters:?} {}", record.name);
    }
    if size % 4 != 0 {
        return;
    }
    let request = ListSecrets {
        include_planned_deletion: Some(choice & 1 == 1),
        max_results: None,
        next_token: None,
        filters: Some(filters.clone()),
        sort_order: (choice & 2 == 2).then(|| if choice & 4 == 4 { "asc" } else { "desc" }.into()),
        sort_by: (choice & 8 == 8).then(|| SORT_KEYS[usize::from(choice >> 4) % 5].into()),
    };
    let all = match list(&request) {
        Ok(all) => all,
        Err(fault) => {
            let known = [FaultKind::InvalidParameter, FaultKind::Validation];
            assert!(known.contains(&fault.kind), "{fault:?}");
            return;
        }
    };
    assert_eq!(all.next_token, None);
    let selected = WORLD.view.secrets.values().filter(|r| internals::selects(&filters, r));
    assert_eq!(all.secrets.len(), selected.count(), "{filters:?}");
    let size = size / 4;
    let mut pages = ListSecrets { max_results: Some(size), ..request };
    let mut names = Vec::new();
    loop {
        let page = list(&pages).unwrap();
        assert!(page.secrets.len() as i64 <= size);
        names.extend(page.secrets.into_iter().map(|secret| secret.name));
        pages.next_token = page.next_token;
        if pages.next_token.is_none() {
            break;
        }
        assert!(names.len() < 7, "pages come to an end");
    }
    let expected: Vec<String> = all.secrets.into_iter().map(|secret| secret.name).collect();
    assert_eq!(names, expected, "{pages:?}");
}

/// An accepted token encodes to the same text and leads to a page that is part of the whole list. Any other
/// token is refused as by AWS.
pub(super) fn page_token(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (choice, size) = (input.u8(), i64::from(input.u8() % 4) + 1);
    let token = text(input.rest());
    let order = usize::from(choice >> 2) % 4;
    let falling = choice & 0x40 != 0;
    let known = [FaultKind::InvalidNextToken, FaultKind::Validation];
    let refused = |fault: &Fault| assert!(known.contains(&fault.kind), "{fault:?}");
    let (secret_id, next_token) = ("app/db".to_owned(), Some(token.to_owned()));
    let max_results = Some(size);
    match choice % 3 {
        0 => {
            let parsed = internals::versions_token(token);
            let include_deprecated = Some(falling);
            let request =
                ListSecretVersionIds { secret_id, max_results, next_token, include_deprecated };
            match WORLD.read(&request) {
                Ok(page) => {
                    let (seq, again) = parsed.unwrap();
                    assert_eq!(again, token);
                    let left = 3_u64.saturating_sub(seq.0).min(size.cast_unsigned());
                    assert!(page.versions.len() as u64 <= left);
                }
                Err(fault) => refused(&fault),
            }
        }
        1 => {
            let parsed = internals::policies_token(token);
            let request = ListResourcePolicies { secret_id, max_results, next_token };
            match WORLD.read(&request) {
                Ok(page) => {
                    assert_eq!(parsed.unwrap().1, token);
                    assert!(page.policy_names.iter().all(|name| name == "default"));
                }
                Err(fault) => refused(&fault),
            }
        }
        _ => {
            let letter = ['c', 'a', 'm', 'n'][order];
            let letter = if falling { letter.to_ascii_uppercase() } else { letter };
            let parsed = internals::secrets_token(letter, token);
            let request = ListSecrets {
                max_results,
                next_token,
                sort_by: Some(SORT_KEYS[order].to_owned()),
                sort_order: Some(if falling { "desc" } else { "asc" }.to_owned()),
                ..ListSecrets::default()
            };
            match list(&request) {
                Ok(page) => {
                    assert_eq!(parsed.unwrap().1, token);
                    assert!(page.secrets.len() as i64 <= size);
                    if let Some(next) = &page.next_token {
                        let (_, again) = internals::secrets_token(letter, next).unwrap();
                        assert_eq!(again, *next);
                    }
                }
                Err(fault) => refused(&fault),
            }
        }
    }
}
