//! The keystore parser is total, and what it accepts it writes back byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom::crypto::Keystore;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keystore) = Keystore::decode(bytes) {
        assert_eq!(keystore.encode(), bytes, "the encoding is canonical");
    }
});
