//! Writes the members of a response as a JSON object.

use crate::env::UnixMillis;
use crate::error::{ErrorKind, Result};
use crate::secret::buffer::WipedBuffer;
use serde::ser::{Error, Serialize, SerializeMap, Serializer};
use zeroize::Zeroizing;

/// Room for the members around a value: ARN, name, version id, 20 labels of ordinary length.
pub(super) const COMMON_BYTES: usize = 4096;

/// Who reads the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Clients of the AWS API.
    Server,
    /// Clients of AWS's local agent: dates are strings (rule WIRE-AGENT-4).
    Agent,
    /// Users of the command: indented, and a description ends with rotation and partner.
    Command,
}

/// A structure of the API model. Absent members are left out.
pub(crate) trait Structure {
    /// Adds the members in the order of the API model.
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>);

    /// About how many bytes the JSON needs, so that the buffer rarely has to grow.
    fn room(&self) -> usize {
        COMMON_BYTES
    }
}

impl<T: Structure> Structure for &T {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        (*self).add_members(out);
    }
}

/// The object that members are added to. After a failure it takes no more.
pub(crate) struct Members<M: SerializeMap> {
    map: M,
    pub(super) style: Style,
    outcome: std::result::Result<(), M::Error>,
}

impl<M: SerializeMap> Members<M> {
    pub(crate) fn add(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        if self.outcome.is_ok() {
            self.outcome = self.map.serialize_entry(name, value);
        }
    }

    pub(crate) fn add_optional(&mut self, name: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.add(name, &value);
        }
    }

    pub(super) fn structure(&mut self, name: &str, structure: &impl Structure) {
        let style = self.style;
        self.add(name, &Object { structure, style });
    }

    pub(super) fn structures<T: Structure>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T, IntoIter: Clone>,
    ) {
        let (items, style) = (items.into_iter(), self.style);
        self.add(name, &List { items, style });
    }

    /// Seconds since 1970. As a number they always have a fraction, even `.0` (rule WIRE-REPLY-4).
    pub(super) fn date(&mut self, name: &str, at: UnixMillis) {
        // Exact to the millisecond for many thousand years.
        #[allow(clippy::cast_precision_loss)]
        let seconds = at.0 as f64 / 1000.0;
        match self.style {
            Style::Server | Style::Command => self.add(name, &seconds),
            Style::Agent => self.add(name, &seconds.to_string()),
        }
    }

    pub(super) fn optional_date(&mut self, name: &str, at: Option<UnixMillis>) {
        if let Some(at) = at {
            self.date(name, at);
        }
    }

    /// Text that the vault keeps as bytes. Anything but UTF-8 is damage that its seal did not show.
    pub(super) fn text(&mut self, name: &str, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.add(name, text),
            Err(_) => self.outcome = Err(M::Error::custom("not UTF-8")),
        }
    }
}

/// A structure as a JSON object.
struct Object<T> {
    structure: T,
    style: Style,
}

impl<T: Structure> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let map = serializer.serialize_map(None)?;
        let mut members = Members { map, style: self.style, outcome: Ok(()) };
        self.structure.add_members(&mut members);
        members.outcome?;
        members.map.end()
    }
}

/// Structures as a JSON array.
struct List<I> {
    items: I,
    style: Style,
}

impl<I: Iterator<Item: Structure> + Clone> Serialize for List<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let style = self.style;
        serializer.collect_seq(self.items.clone().map(|structure| Object { structure, style }))
    }
}

/// The JSON of a response.
///
/// # Errors
/// [`ErrorKind::StateBroken`] if a text value is not UTF-8.
pub(crate) fn to_json(response: &impl Structure, style: Style) -> Result<Zeroizing<Vec<u8>>> {
    let object = Object { structure: response, style };
    match style {
        Style::Command => write(response.room(), |out| pretty_into(out, &object)),
        Style::Server | Style::Agent => {
            write(response.room(), |out| serde_json::to_writer(out, &object))
        }
    }
}

/// The JSON of a document of the command's own, indented as its responses are.
pub(crate) fn pretty(document: &impl Serialize) -> Result<Zeroizing<Vec<u8>>> {
    write(COMMON_BYTES, |out| pretty_into(out, document))
}

fn pretty_into(out: &mut WipedBuffer, document: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    out.push(b"\n");
    Ok(())
}

fn write(
    room: usize,
    into: impl FnOnce(&mut WipedBuffer) -> serde_json::Result<()>,
) -> Result<Zeroizing<Vec<u8>>> {
    let mut out = WipedBuffer::with_capacity(room);
    // The buffer takes everything, so only a value can fail.
    into(&mut out).map_err(|_| ErrorKind::StateBroken)?;
    Ok(out.into_inner())
}
