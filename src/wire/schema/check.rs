//! Checks a parsed body against the members of its structure (rules WIRE-JSON-2 to 4, WIRE-FRONT-6 and 7).

use super::member::{Kind, Members};
use crate::wire::json::{Node, base64_decoded};
use crate::wire::reply::ReplyError;
use zeroize::Zeroizing;

pub(super) const LIST_FOUND: &str = "Start of list found where not expected";
const STRUCTURE_FOUND: &str = "Start of structure or map found where not expected.";

/// Checks the types of all members that are there.
pub(super) fn check_structure(
    members: &[(Zeroizing<String>, Node)],
    table: Members,
) -> Result<(), ReplyError> {
    table.iter().copied().flatten().try_for_each(|member| match find(members, member.name) {
        Some(node) => check_node(node, &member.kind),
        None => Ok(()),
    })
}

fn check_node(node: &Node, kind: &'static Kind) -> Result<(), ReplyError> {
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
                None => Err(ReplyError::serialization("Invalid base64 data")),
            };
        }
        (_, Node::List(_) | Node::Object(_)) => return Err(ReplyError::serialization(found)),
        (Kind::List(_), _) => return Err(ReplyError::serialization("Expected list or null")),
        (Kind::Structure(_), _) => return Err(ReplyError::serialization("Expected null")),
        (Kind::Text, _) => "a String",
        (Kind::Integer, _) => "an Integer",
        (Kind::Long, _) => "a Long",
        (Kind::Boolean, _) => "a Boolean",
        (Kind::Blob, _) => "a Blob",
    };
    Err(ReplyError::serialization(format!("{found} can not be converted to {wanted}")))
}

/// Collects the paths of what must not be null: required members and items of lists.
pub(super) fn find_missing(
    members: &[(Zeroizing<String>, Node)],
    table: Members,
    prefix: &str,
    missing: &mut Vec<String>,
) {
    for member in table.iter().copied().flatten() {
        let path = || format!("{prefix}{}", lower_camel(member.name));
        match (find(members, member.name), &member.kind) {
            (None | Some(Node::Null), _) if member.required => missing.push(path()),
            (Some(Node::List(items)), Kind::List(kind)) => {
                for (item, index) in items.iter().zip(1_usize..) {
                    let path = || format!("{}.{index}.member", path());
                    match (item, kind) {
                        (Node::Null, _) => missing.push(path()),
                        (Node::Object(members), Kind::Structure(table)) => {
                            find_missing(members, table, &format!("{}.", path()), missing);
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
