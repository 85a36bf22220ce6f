//! Any bytes are a key file or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom::crypto::key_file;
use strongroom::secret::SecretBytes;

fuzz_target!(|bytes: &[u8]| {
    let _ = key_file::parse(&SecretBytes::copy_from(bytes));
});
