//! A vault's first minute, in memory and on disk.
use strongroom::crypto::Unlock;
use strongroom::model::Scope;
use strongroom::model::api::*;
use strongroom::secret::{SecretBytes, SecretValue};
use strongroom::vault::{Options, Vault};

fn unlock() -> Unlock {
    Unlock::Passphrase(SecretBytes::from("correct horse".to_owned()))
}
fn options() -> Options {
    let mut options = Options::default();
    options.tuning.kdf = Some(strongroom::crypto::KdfParams::FLOOR);
    options
}

#[test]
fn what_was_put_is_there_after_closing_and_after_dropping() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault");
    let scope = Scope::default();
    let vault = Vault::create(&path, unlock(), &options()).unwrap();
    let mut request = CreateSecret::new("app/db");
    request.value = Some(SecretValue::text("one"));
    vault.create_secret(&scope, request).unwrap();
    vault.close().unwrap();
    let vault = Vault::open(&path, &unlock(), &options()).unwrap();
    for n in 0..500 {
        vault
            .put_secret_value(
                &scope,
                PutSecretValue::new("app/db", SecretValue::text(format!("value {n}"))),
            )
            .unwrap();
    }
    drop(vault); // as a crash
    let vault = Vault::open(&path, &unlock(), &options()).unwrap();
    let got = vault.get_secret_value(&scope, &GetSecretValue::new("app/db")).unwrap();
    assert_eq!(got.value.bytes().expose(), b"value 499");
    vault.maintain().unwrap();
    vault.shred().unwrap();
    vault.close().unwrap();
    let place = strongroom::vault::VaultDir::lock(&path, &options()).unwrap();
    let report = place.check(&unlock()).unwrap();
    assert_eq!(
        (report.damage.len(), report.warnings.len(), report.values),
        (0, 0, 501),
        "{report:?}"
    );
}
