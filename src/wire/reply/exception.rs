//! An AWS exception in JSON.

use crate::responses::{Members, Structure, Style, to_json};
use serde::ser::SerializeMap;
use zeroize::Zeroizing;

pub(crate) struct Exception<'a> {
    pub(crate) name: &'static str,
    pub(crate) text: Option<Text<'a>>,
}

/// The text of an exception and the member that it stands in: `Message` or `message`.
pub(crate) struct Text<'a> {
    pub(crate) member: &'static str,
    pub(crate) text: &'a str,
}

impl Exception<'_> {
    pub(crate) fn json(&self) -> Zeroizing<Vec<u8>> {
        // Only a value that is not UTF-8 cannot be written, and there is none.
        to_json(self, Style::Server).unwrap_or_default()
    }
}

impl Structure for Exception<'_> {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("__type", self.name);
        if let Some(Text { member, text }) = self.text {
            out.add(member, text);
        }
    }

    fn room(&self) -> usize {
        512
    }
}
