//! Takes the members out of a checked body.

use super::check::{LIST_FOUND, check_structure, find_missing};
use super::member::Members;
use crate::secret::{SecretBytes, SecretValue};
use crate::semantics::messages;
use crate::wire::json::{Node, base64_decoded};
use crate::wire::reply::ReplyError;
use zeroize::Zeroizing;

/// A structure that is read from a request body.
pub(crate) trait FromFields {
    const MEMBERS: Members;

    fn from_fields(fields: &mut Fields) -> Self;
}

/// Checks a request body and reads it: first types, then presence.
pub(crate) fn read<T: FromFields>(body: Node) -> Result<T, ReplyError> {
    let mut fields = Fields::check(body, T::MEMBERS)?;
    let request = T::from_fields(&mut fields);
    if fields.has_two_values {
        return Err(ReplyError::Fault(messages::two_values()));
    }
    Ok(request)
}

/// The members of a structure, which have the right types. There is a method for each kind of member, and
/// `structure!` calls the one that a structure names.
pub(crate) struct Fields {
    members: Vec<(Zeroizing<String>, Node)>,
    has_two_values: bool,
}

impl Fields {
    pub(super) fn check(body: Node, members: Members) -> Result<Self, ReplyError> {
        let found = match body {
            Node::Object(found) => found,
            Node::List(_) => return Err(ReplyError::serialization(LIST_FOUND)),
            _ => return Err(ReplyError::NotJson),
        };
        check_structure(&found, members)?;
        let mut missing = Vec::new();
        find_missing(&found, members, "", &mut missing);
        if missing.is_empty() { Ok(Self::of(found)) } else { Err(ReplyError::missing(&missing)) }
    }

    fn of(members: Vec<(Zeroizing<String>, Node)>) -> Self {
        Self { members, has_two_values: false }
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).and_then(text)
    }

    /// Presence has been checked.
    pub(crate) fn required_text(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// An absent text reads as an empty one, which the rules of the API refuse by its length.
    pub(crate) fn text_or_empty(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    pub(crate) fn secret_text<T: From<SecretBytes>>(&mut self, name: &str) -> Option<T> {
        self.take(name).and_then(text).map(|text| SecretBytes::from(text).into())
    }

    pub(crate) fn value(&mut self, binary: &str, string: &str) -> Option<SecretValue> {
        let string = self.secret_text(string);
        let binary = match self.take(binary) {
            Some(Node::String(text)) => base64_decoded(&text),
            _ => None,
        };
        self.has_two_values = string.is_some() && binary.is_some();
        string.map(SecretValue::String).or(binary.map(SecretValue::Binary))
    }

    pub(crate) fn integer(&mut self, name: &str) -> Option<i64> {
        self.long(name)
    }

    pub(crate) fn long(&mut self, name: &str) -> Option<i64> {
        match self.take(name)? {
            Node::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Node::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.list(name, text)
    }

    pub(crate) fn required_texts(&mut self, name: &str) -> Vec<String> {
        self.texts(name).unwrap_or_default()
    }

    pub(crate) fn structure<T: FromFields>(&mut self, name: &str) -> Option<T> {
        self.take(name).and_then(structure)
    }

    pub(crate) fn structures<T: FromFields>(&mut self, name: &str) -> Option<Vec<T>> {
        self.list(name, structure)
    }

    pub(crate) fn required_structures<T: FromFields>(&mut self, name: &str) -> Vec<T> {
        self.structures(name).unwrap_or_default()
    }

    fn list<T>(&mut self, name: &str, item: impl Fn(Node) -> Option<T>) -> Option<Vec<T>> {
        match self.take(name)? {
            Node::List(items) => Some(items.into_iter().filter_map(item).collect()),
            _ => None,
        }
    }

    /// The last member of that name counts.
    fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.members.iter().rposition(|(found, _)| found.as_str() == name)?;
        Some(self.members.swap_remove(at).1)
    }
}

fn text(node: Node) -> Option<String> {
    match node {
        Node::String(mut text) => Some(std::mem::take(&mut *text)),
        _ => None,
    }
}

fn structure<T: FromFields>(node: Node) -> Option<T> {
    match node {
        Node::Object(members) => Some(T::from_fields(&mut Fields::of(members))),
        _ => None,
    }
}
