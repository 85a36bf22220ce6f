//! Any `SecretId` parses or is refused, and an ARN that parses prints as it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom::model::SecretRef;

fuzz_target!(|text: &str| {
    if let Ok(SecretRef::Arn(arn)) = SecretRef::parse(text) {
        assert_eq!(arn.to_string(), text);
    }
});
