//! JSON without spaces, written straight into a buffer that is wiped.
//!
//! It writes the bytes that `serde_json` writes. A text that needs no escapes is copied in one piece, and most
//! of a response is one such text: the value. `serde_json` looks at each byte of it on its own.

use crate::secret::buffer::WipedBuffer;
use serde::ser::{Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Error, Result};

/// Writes one value.
pub(super) struct Compact<'a>(pub(super) &'a mut WipedBuffer);

/// Items between brackets or members between braces.
pub(super) struct Items<'a> {
    out: &'a mut WipedBuffer,
    is_first: bool,
    end: &'static [u8],
}

/// Whether a text stands between quotes as it is.
fn is_plain(text: &[u8]) -> bool {
    // Without an early end, so that many bytes are looked at in one step.
    let escaped = |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"' || byte == b'\\');
    text.iter().fold(0, |any, byte| any | escaped(*byte)) == 0
}

impl<'a> Compact<'a> {
    /// Writes what has no form of its own here.
    fn plainly(self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer(self.0, value)
    }

    fn items(self, start: &[u8], end: &'static [u8]) -> Items<'a> {
        self.0.push(start);
        Items { out: self.0, is_first: true, end }
    }
}

/// No response has a value of such a kind.
fn unknown<T>() -> Result<T> {
    Err(Error::custom("no kind of a response's values"))
}

impl<'a> Serializer for Compact<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_str(self, text: &str) -> Result<()> {
        if !is_plain(text.as_bytes()) {
            return self.plainly(&text);
        }
        self.0.reserve(text.len() + 2);
        for part in [b"\"", text.as_bytes(), b"\""] {
            self.0.push(part);
        }
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.0.push(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>> {
        Ok(self.items(b"[", b"]"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>> {
        Ok(self.items(b"{", b"}"))
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.0.push(b"null");
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<()> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<()> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<()> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<()> {
        self.plainly(&value)
    }

    fn serialize_u8(self, value: u8) -> Result<()> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<()> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<()> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<()> {
        self.plainly(&value)
    }

    fn serialize_f32(self, value: f32) -> Result<()> {
        self.plainly(&value)
    }

    fn serialize_f64(self, value: f64) -> Result<()> {
        self.plainly(&value)
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.plainly(&value)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<()> {
        unknown()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        unknown()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<()> {
        unknown()
    }

    fn serialize_newtype_struct<T>(self, _: &'static str, _: &T) -> Result<()>
    where
        T: Serialize + ?Sized,
    {
        unknown()
    }

    fn serialize_newtype_variant<T>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()>
    where
        T: Serialize + ?Sized,
    {
        unknown()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        unknown()
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct> {
        unknown()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        unknown()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        unknown()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        unknown()
    }
}

impl Items<'_> {
    fn next(&mut self) {
        if !self.is_first {
            self.out.push(b",");
        }
        self.is_first = false;
    }
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.next();
        value.serialize(Compact(self.out))
    }

    fn end(self) -> Result<()> {
        self.out.push(self.end);
        Ok(())
    }
}

impl SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.next();
        key.serialize(Compact(self.out))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.out.push(b":");
        value.serialize(Compact(self.out))
    }

    fn end(self) -> Result<()> {
        self.out.push(self.end);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn compact(value: &impl Serialize) -> Vec<u8> {
        let mut out = WipedBuffer::with_capacity(0);
        value.serialize(Compact(&mut out)).unwrap();
        out.into_inner().to_vec()
    }

    #[track_caller]
    fn check(value: &impl Serialize) {
        assert_eq!(compact(value), serde_json::to_vec(value).unwrap());
    }

    /// WIRE-JSON-5
    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        for character in (0..=0x2FF).chain([0x2028, 0xD7FF, 0xE000, 0xFFFF, 0x0001_F600]) {
            let character = char::from_u32(character).unwrap();
            for text in [format!("{character}"), format!("a{character}"), format!("{character}b")] {
                check(&text);
            }
        }
        check(&"");
    }

    #[test]
    fn numbers_and_lists_are_too() {
        check(&(0..3).map(Some).chain([None]).collect::<Vec<Option<i64>>>());
        check(&vec![i64::MIN, i64::MAX]);
        check(&vec![0.0, -1.5, 1_767_323_045.0, 1_767_323_045.25, f64::NAN]);
        check(&vec![true, false]);
        check(&Vec::<u8>::new());
        check(&BTreeMap::<String, u32>::new());
    }

    proptest! {
        #[test]
        fn texts_in_maps_in_lists_are_too(
            value in proptest::collection::vec(
                proptest::collection::btree_map(".{0,4}", "(?s).{0,40}|[a-z\"\\\\]{0,40}", 0..4), 0..4)
        ) {
            prop_assert_eq!(compact(&value), serde_json::to_vec(&value).unwrap());
        }
    }
}
