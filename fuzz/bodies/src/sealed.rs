//! Formats that are read with the right key: values, wraps and rows. A fuzzer cannot forge a seal, so each
//! body also seals the fuzzer's bytes to test the code behind the seal.

use super::input::{Input, Stream, mutate};
use super::keys::KEYS;
use std::sync::LazyLock;
use strongroom::__internals::crypto::ValueKey;
use strongroom::__internals::model::{RecordId, Seq, Tree, VersionId};
use strongroom::__internals::secret::{PayloadKind, SecretBytes, SecretValue};
use strongroom::__internals::vault::internals::{ROW_KINDS, row_written_again};

/// A data key, created once.
static VALUE_KEY: LazyLock<ValueKey> = LazyLock::new(|| {
    KEYS.ring.seal_value(&SecretValue::text("value"), &Stream::new(3)).unwrap().key
});

/// A value opens to what was sealed, and no modified form opens. Its padding has only one valid reading. The
/// same holds for wraps of data keys.
pub(super) fn envelope(bytes: &[u8]) {
    let ring = &KEYS.ring;
    let mut input = Input::new(bytes);
    let choice = input.u8();
    let kind = if choice & 1 == 0 { PayloadKind::String } else { PayloadKind::Binary };
    let entropy = Stream::new(u64::from(choice));
    match choice >> 1 & 3 {
        0 => assert!(ring.open_value(kind, &VALUE_KEY, input.rest()).is_err(), "forged"),
        1 => {
            let plain = input.short();
            let content = SecretBytes::copy_from(plain);
            let value = match kind {
                PayloadKind::String => SecretValue::String(content),
                PayloadKind::Binary => SecretValue::Binary(content),
            };
            let sealed = ring.seal_value(&value, &entropy).unwrap();
            let opened = ring.open_value(kind, &sealed.key, &sealed.sealed);
            let is_legal = kind == PayloadKind::Binary || std::str::from_utf8(plain).is_ok();
            // EXPOSE: the fuzzer's own bytes.
            let is_same = opened.as_ref().is_ok_and(|opened| opened.bytes().expose() == plain);
            assert_eq!(is_same, is_legal);
            let mut changed = sealed.sealed.clone();
            mutate(&mut input, &mut changed);
            if changed != sealed.sealed {
                assert!(ring.open_value(kind, &sealed.key, &changed).is_err(), "changed");
            }
        }
        2 => padded(&mut input, kind, &entropy),
        _ => wrap(&mut input, &entropy),
    }
}

/// The fuzzer's plaintext under a valid seal: length, value, padding.
fn padded(input: &mut Input<'_>, kind: PayloadKind, entropy: &Stream) {
    let mut padded = input.take(300).to_vec();
    padded.resize(padded.len() + usize::from(input.u16() % 512), 0);
    let Ok(sealed) = strongroom::__internals::crypto::seal_padded(
        &KEYS.ring, kind, &VALUE_KEY, &padded, entropy,
    ) else {
        return;
    };
    if let Ok(value) = KEYS.ring.open_value(kind, &VALUE_KEY, &sealed) {
        // EXPOSE: the fuzzer's own bytes.
        let plain = value.bytes().expose();
        assert_eq!(value.kind(), kind);
        assert_eq!(padded[..4], u32::try_from(plain.len()).unwrap().to_le_bytes());
        assert_eq!(&padded[4..4 + plain.len()], plain);
        assert!(padded[4 + plain.len()..].iter().all(|byte| *byte == 0), "padding is zeros");
        let again = KEYS.ring.seal_value(&value, entropy).unwrap();
        assert_eq!(again.sealed.len(), sealed.len(), "one length a value");
    }
}

fn wrap(input: &mut Input<'_>, entropy: &Stream) {
    let ring = &KEYS.ring;
    let (id, seq) = (RecordId(input.array()), Seq(input.u16().into()));
    let version = VersionId::from_random(input.array());
    let row = ring.wrap_value_key(id, seq, &version, &VALUE_KEY, entropy).unwrap();
    let mut changed = row.clone();
    mutate(input, &mut changed);
    match ring.unwrap_value_key(id, seq, &version, &changed) {
        Ok(key) => {
            assert!(changed == row, "a changed wrap was accepted");
            assert!(strongroom::__internals::crypto::Keyring::same_payload(&key, &VALUE_KEY));
        }
        Err(_) => assert!(changed != row),
    }
    let other = Seq(seq.0 + 1);
    assert!(ring.unwrap_value_key(id, other, &version, &row).is_err(), "moved");
}

/// Sealed rows open only in their own place. Content of any kind that decodes also encodes to the same
/// bytes.
pub(super) fn row_decode(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let kind = input.u8();
    if kind < ROW_KINDS {
        let content = input.rest();
        if let Some(again) = row_written_again(kind, content) {
            assert!(again == content, "the encoding is canonical: {content:?} {again:?}");
        }
        return;
    }
    let tree = Tree::ALL[usize::from(kind % 8)];
    let key = input.short();
    if kind & 8 == 0 {
        assert!(KEYS.ring.open_row(tree, key, input.rest()).is_err(), "forged");
        return;
    }
    let plain = input.short().to_vec();
    let entropy = Stream::new(u64::from(kind));
    let sealed = KEYS.ring.seal_row(tree, key, plain.clone(), &entropy).unwrap();
    assert_eq!(*KEYS.ring.open_row(tree, key, &sealed).unwrap(), plain);
    let (mut changed, mut elsewhere) = (sealed.clone(), key.to_vec());
    if input.u8() & 1 == 0 {
        mutate(&mut input, &mut changed);
    } else {
        mutate(&mut input, &mut elsewhere);
    }
    let moved = changed != sealed || elsewhere != key;
    assert_eq!(KEYS.ring.open_row(tree, &elsewhere, &changed).is_err(), moved);
}
