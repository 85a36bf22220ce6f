#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use serde_json::Value;

fn parsed(bytes: Result<SecretBytes, CliError>) -> Value {
    serde_json::from_slice(bytes.unwrap().expose()).unwrap()
}

#[test]
fn a_list_of_credentials_has_no_secret_half() {
    let pair = || Credential {
        access_key_id: "AKIA1".into(),
        account: "000000000000".into(),
        secret_access_key: SecretBytes::copy_from(b"hunter2"),
    };
    assert!(!parsed(credentials(&[pair()])).to_string().contains("hunter2"));
    assert_eq!(parsed(credential(&pair()))["SecretAccessKey"], "hunter2");
}
