//! The table of operations and members as facts, for tests. No stability promise.

use crate::model::api::Operation;
use crate::wire::request;
use crate::wire::schema::{Kind, Members};

/// One member of a request, or the items of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFact {
    /// `Tags`, `Tags[]` for its items, `Tags[].Key` for a member of an item.
    pub path: String,
    /// `string`, `integer`, `long`, `boolean`, `blob`, `list` or `structure`: the words of the API
    /// model.
    pub kind: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it goes straight into the fence.
    pub sensitive: bool,
}

/// Everything that the server reads of an operation's request; `None` if it does not serve it.
#[must_use]
pub fn members(operation: &str) -> Option<Vec<MemberFact>> {
    let operation = Operation::from_name(operation)?;
    let mut facts = Vec::new();
    structure(request::members(operation), "", &mut facts);
    Some(facts)
}

fn structure(members: Members, prefix: &str, facts: &mut Vec<MemberFact>) {
    for member in members.iter().copied().flatten() {
        let path = format!("{prefix}{}", member.name);
        add(&path, &member.kind, member.required, member.sensitive, facts);
    }
}

fn add(path: &str, kind: &Kind, required: bool, sensitive: bool, facts: &mut Vec<MemberFact>) {
    let name = match kind {
        Kind::Text => "string",
        Kind::Integer => "integer",
        Kind::Long => "long",
        Kind::Boolean => "boolean",
        Kind::Blob => "blob",
        Kind::List(_) => "list",
        Kind::Structure(_) => "structure",
    };
    facts.push(MemberFact { path: path.to_owned(), kind: name, required, sensitive });
    match kind {
        Kind::List(item) => add(&format!("{path}[]"), item, false, false, facts),
        Kind::Structure(members) => structure(members, &format!("{path}."), facts),
        _ => (),
    }
}
