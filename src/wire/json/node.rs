//! A parsed request body whose every string is wiped when dropped (rules WIRE-JSON-1 to 3).

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;
use zeroize::Zeroizing;

/// Deepest nesting: requests of the API need four levels.
const DEPTH_MAX: usize = 32;
/// Most values in one body. A node is larger than the two bytes that can ask for one, so without
/// this a body of a megabyte could take fifty.
const NODES_MAX: usize = 20_000;

/// One JSON value.
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// A number, decimals cut off, clamped to the range.
    Number(i64),
    String(Zeroizing<String>),
    List(Vec<Node>),
    /// Members in the order of the body. A name may stand twice: the last one counts.
    Object(Vec<(Zeroizing<String>, Node)>),
}

/// Not one JSON value, or too deep, or too many values. No cause: it would quote the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotJson;

/// Reads exactly one JSON value.
pub(crate) fn parse(body: &[u8]) -> Result<Node, NotJson> {
    let nodes_left = Cell::new(NODES_MAX);
    let seed = NodeSeed { depth_left: DEPTH_MAX, nodes_left: &nodes_left };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let node = seed.deserialize(&mut deserializer).map_err(|_| NotJson)?;
    deserializer.end().map_err(|_| NotJson)?;
    Ok(node)
}

#[derive(Clone, Copy)]
struct NodeSeed<'a> {
    depth_left: usize,
    nodes_left: &'a Cell<usize>,
}

impl NodeSeed<'_> {
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.nodes_left.get().checked_sub(1).ok_or_else(|| E::custom("nodes"))?;
        self.nodes_left.set(left);
        Ok(())
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| E::custom("depth"))?;
        Ok(Self { depth_left, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        #[allow(clippy::cast_possible_truncation)] // AWS cuts decimals; `as` clamps.
        Ok(Node::Number(value as i64))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::String(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let item = self.deeper()?;
        let mut list = Vec::new();
        while let Some(node) = items.next_element_seed(item)? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let inner = self.deeper()?;
        let mut object = Vec::new();
        while let Some(name) = members.next_key_seed(NameSeed)? {
            object.push((name, members.next_value_seed(inner)?));
        }
        Ok(Node::Object(object))
    }
}

/// A member's name: wiped like a value, for a client may put a value there by mistake.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Zeroizing<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = Zeroizing<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Zeroizing::new(text.to_owned()))
    }
}
