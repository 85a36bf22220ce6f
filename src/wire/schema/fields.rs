//! Shapes of requests: tables of members, one checker, one way to take members out
//! (rules WIRE-JSON-2 to 4, WIRE-FRONT-6 and 7).

use crate::secret::SecretBytes;
use crate::wire::json::{Node, base64_decoded};
use crate::wire::reply::Failure;
use zeroize::Zeroizing;

/// One member of a structure. Members that no table names are ignored, and `null` is absence.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    /// Leaves the parsed body only into the fence.
    pub(crate) sensitive: bool,
}

impl Member {
    pub(crate) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, sensitive: false }
    }

    pub(crate) const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true, sensitive: false }
    }

    pub(crate) const fn sensitive(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, sensitive: true }
    }
}

/// What a member holds.
pub(crate) enum Kind {
    Text,
    Integer,
    Long,
    Boolean,
    /// Bytes as base64.
    Blob,
    List(&'static Kind),
    Structure(&'static [Member]),
}

/// A structure whose members have the types of its table.
pub(crate) struct Fields {
    members: Vec<(Zeroizing<String>, Node)>,
    table: &'static [Member],
}

impl Fields {
    /// Checks a request body: types first, then presence.
    pub(crate) fn check(body: Node, table: &'static [Member]) -> Result<Self, Failure> {
        let members = match body {
            Node::Object(members) => members,
            Node::List(_) => return Err(Failure::serialization(LIST_FOUND)),
            _ => return Err(Failure::NotJson),
        };
        check_structure(&members, table)?;
        let mut missing = Vec::new();
        find_missing(&members, table, "", &mut missing);
        if missing.is_empty() {
            Ok(Self { members, table })
        } else {
            Err(Failure::missing(&missing))
        }
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        debug_assert!(!self.member(name).sensitive, "{name} belongs in the fence");
        match self.take(name)? {
            Node::String(mut text) => Some(std::mem::take(&mut *text)),
            _ => None,
        }
    }

    /// The text of a required member. Presence has been checked.
    pub(crate) fn required_text(&mut self, name: &'static str) -> String {
        debug_assert!(self.member(name).required, "{name} may be absent");
        self.text(name).unwrap_or_default()
    }

    pub(crate) fn secret_text(&mut self, name: &'static str) -> Option<SecretBytes> {
        match self.take(name)? {
            Node::String(mut text) => Some(SecretBytes::from(std::mem::take(&mut *text))),
            _ => None,
        }
    }

    pub(crate) fn secret_blob(&mut self, name: &'static str) -> Option<SecretBytes> {
        match self.take(name)? {
            Node::String(text) => base64_decoded(&text),
            _ => None,
        }
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Option<i64> {
        match self.take(name)? {
            Node::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Node::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let Node::List(items) = self.take(name)? else { return None };
        let text = |item| match item {
            Node::String(mut text) => Some(std::mem::take(&mut *text)),
            _ => None,
        };
        Some(items.into_iter().filter_map(text).collect())
    }

    pub(crate) fn structure(&mut self, name: &'static str) -> Option<Fields> {
        let Kind::Structure(table) = self.member(name).kind else { return None };
        match self.take(name)? {
            Node::Object(members) => Some(Fields { members, table }),
            _ => None,
        }
    }

    pub(crate) fn structures<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(Fields) -> T,
    ) -> Option<Vec<T>> {
        let Kind::List(Kind::Structure(table)) = self.member(name).kind else { return None };
        let Node::List(items) = self.take(name)? else { return None };
        let structure = |item| match item {
            Node::Object(members) => Some(read(Fields { members, table })),
            _ => None,
        };
        Some(items.into_iter().filter_map(structure).collect())
    }

    /// The last member of that name counts.
    fn take(&mut self, name: &'static str) -> Option<Node> {
        let at = self.members.iter().rposition(|(found, _)| found.as_str() == name)?;
        Some(self.members.swap_remove(at).1)
    }

    fn member(&self, name: &'static str) -> &'static Member {
        const UNKNOWN: &Member = &Member::optional("", Kind::Text);
        let member = self.table.iter().find(|member| member.name == name);
        debug_assert!(member.is_some(), "{name} is not in the table");
        member.unwrap_or(UNKNOWN)
    }
}

const LIST_FOUND: &str = "Start of list found where not expected";
const STRUCTURE_FOUND: &str = "Start of structure or map found where not expected.";

fn check_structure(
    members: &[(Zeroizing<String>, Node)],
    table: &'static [Member],
) -> Result<(), Failure> {
    table.iter().try_for_each(|member| match find(members, member.name) {
        Some(node) => check_node(node, &member.kind),
        None => Ok(()),
    })
}

fn check_node(node: &Node, kind: &'static Kind) -> Result<(), Failure> {
    let found = match node {
        Node::Null => return Ok(()),
        Node::Bool(true) => "TRUE_VALUE",
        Node::Bool(false) => "FALSE_VALUE",
        Node::Number(_) => "NUMBER_VALUE",
        Node::String(_) => "STRING_VALUE",
        Node::List(_) => LIST_FOUND,
        Node::Object(_) => STRUCTURE_FOUND,
    };
    let wanted = match (kind, node) {
        (Kind::Text, Node::String(_))
        | (Kind::Integer | Kind::Long, Node::Number(_))
        | (Kind::Boolean, Node::Bool(_)) => return Ok(()),
        (Kind::List(kind), Node::List(items)) => {
            return items.iter().try_for_each(|item| check_node(item, kind));
        }
        (Kind::Structure(table), Node::Object(members)) => return check_structure(members, table),
        (Kind::Blob, Node::String(text)) => {
            return match base64_decoded(text) {
                Some(_) => Ok(()),
                // [guess]: AWS's text is not recorded.
                None => Err(Failure::serialization("Invalid base64 data")),
            };
        }
        (_, Node::List(_) | Node::Object(_)) => return Err(Failure::serialization(found)),
        (Kind::List(_), _) => return Err(Failure::serialization("Expected list or null")),
        (Kind::Structure(_), _) => return Err(Failure::serialization("Expected null")),
        (Kind::Text, _) => "a String",
        (Kind::Integer, _) => "an Integer",
        (Kind::Long, _) => "a Long",
        (Kind::Boolean, _) => "a Boolean",
        (Kind::Blob, _) => "a Blob",
    };
    Err(Failure::serialization(format!("{found} can not be converted to {wanted}")))
}

/// Collects the paths of what must not be null: required members and items of lists.
fn find_missing(
    members: &[(Zeroizing<String>, Node)],
    table: &'static [Member],
    prefix: &str,
    missing: &mut Vec<String>,
) {
    for member in table {
        let path = format!("{prefix}{}", lower_camel(member.name));
        match (find(members, member.name), &member.kind) {
            (None | Some(Node::Null), _) if member.required => missing.push(path),
            (Some(Node::List(items)), Kind::List(kind)) => {
                for (item, index) in items.iter().zip(1_usize..) {
                    let path = format!("{path}.{index}.member");
                    match (item, kind) {
                        (Node::Null, _) => missing.push(path),
                        (Node::Object(members), Kind::Structure(table)) => {
                            find_missing(members, table, &format!("{path}."), missing);
                        }
                        _ => (),
                    }
                }
            }
            _ => (),
        }
    }
}

fn find<'a>(members: &'a [(Zeroizing<String>, Node)], name: &str) -> Option<&'a Node> {
    members.iter().rev().find(|(found, _)| found.as_str() == name).map(|(_, node)| node)
}

fn lower_camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::wire::json::parse;

    static TABLE: &[Member] = &[
        Member::required("SecretId", Kind::Text),
        Member::optional("Number", Kind::Integer),
        Member::optional("Days", Kind::Long),
        Member::optional("Flag", Kind::Boolean),
        Member::sensitive("Blob", Kind::Blob),
        Member::optional("Names", Kind::List(&Kind::Text)),
        Member::optional("Tags", Kind::List(&Kind::Structure(TAG))),
        Member::optional("Rules", Kind::Structure(TAG)),
    ];
    static TAG: &[Member] =
        &[Member::required("Key", Kind::Text), Member::optional("Value", Kind::Text)];

    fn check(json: &str) -> Result<Fields, String> {
        Fields::check(parse(json.as_bytes()).ok().unwrap(), TABLE).map_err(|failure| {
            String::from_utf8(failure.reply().content.unwrap().to_vec()).unwrap()
        })
    }

    #[track_caller]
    fn refused(json: &str, expected: &str) {
        assert_eq!(check(json).err().as_deref(), Some(expected), "{json}");
    }

    #[track_caller]
    fn wrong_type(json: &str, message: &str) {
        let expected = format!(r#"{{"__type":"SerializationException","Message":"{message}"}}"#);
        refused(json, &expected);
    }

    #[test]
    fn a_wrong_type_is_told_in_the_words_of_aws() {
        for (member, value, message) in [
            ("Number", r#""1""#, "STRING_VALUE can not be converted to an Integer"),
            ("Number", "true", "TRUE_VALUE can not be converted to an Integer"),
            ("Days", r#""1""#, "STRING_VALUE can not be converted to a Long"),
            ("SecretId", "1", "NUMBER_VALUE can not be converted to a String"),
            ("SecretId", "true", "TRUE_VALUE can not be converted to a String"),
            ("SecretId", "false", "FALSE_VALUE can not be converted to a String"),
            ("SecretId", "{}", "Start of structure or map found where not expected."),
            ("SecretId", "[]", "Start of list found where not expected"),
            ("Flag", r#""true""#, "STRING_VALUE can not be converted to a Boolean"),
            ("Blob", "1", "NUMBER_VALUE can not be converted to a Blob"),
            ("Blob", r#""not base64""#, "Invalid base64 data"),
            ("Names", r#""a""#, "Expected list or null"),
            ("Names", "{}", "Start of structure or map found where not expected."),
            ("Names", "[1]", "NUMBER_VALUE can not be converted to a String"),
            ("Tags", r#"["a"]"#, "Expected null"),
            ("Tags", r#"[{"Key":[]}]"#, "Start of list found where not expected"),
            ("Rules", r#""a""#, "Expected null"),
            ("Rules", "[]", "Start of list found where not expected"),
        ] {
            wrong_type(&format!(r#"{{"{member}":{value}}}"#), message);
        }
        wrong_type("[]", "Start of list found where not expected");
    }

    #[test]
    fn a_body_that_is_no_object_is_refused_without_a_text() {
        for json in ["null", r#""x""#, "1", "true"] {
            refused(json, r#"{"__type":"SerializationException"}"#);
        }
    }

    #[test]
    fn types_are_checked_before_presence() {
        wrong_type(r#"{"Number":"1"}"#, "STRING_VALUE can not be converted to an Integer");
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        let one = "Value null at 'secretId' failed to satisfy constraint: Member must not be null";
        let body =
            |detail: &str| format!(r#"{{"__type":"ValidationException","message":"{detail}"}}"#);
        for json in ["{}", r#"{"SecretId":null}"#, r#"{"secretid":"x"}"#] {
            refused(json, &body(&format!("1 validation error detected: {one}")));
        }
        let tag = "Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null";
        let name =
            "Value null at 'names.1.member' failed to satisfy constraint: Member must not be null";
        refused(
            r#"{"Names":[null],"Tags":[{"Key":"a"},{"Value":"b"}]}"#,
            &body(&format!("3 validation errors detected: {one}; {name}; {tag}")),
        );
    }

    #[test]
    fn unknown_members_are_ignored_and_null_is_absence() {
        let mut fields = check(
            r#"{"SecretId":"s","Number":null,"Unknown":[{"x":1}],"Names":null,"Flag":false,"Days":7.9}"#,
        )
        .ok()
        .unwrap();
        assert_eq!(fields.required_text("SecretId"), "s");
        assert_eq!(fields.number("Number"), None);
        assert_eq!(fields.texts("Names"), None);
        assert_eq!(fields.boolean("Flag"), Some(false));
        assert_eq!(fields.number("Days"), Some(7));
    }

    #[test]
    fn the_last_of_two_members_counts() {
        let mut fields = check(r#"{"SecretId":1,"SecretId":"a","SecretId":"b"}"#).ok().unwrap();
        assert_eq!(fields.required_text("SecretId"), "b");
        assert!(check(r#"{"SecretId":"a","SecretId":null}"#).is_err());
    }
}
