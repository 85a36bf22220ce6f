//! Strongroom as its users run it: by its library, with a key file, in a folder on the disk.

use super::Member;
use crate::work::{VALUE_BYTES, name, value};
use std::path::Path;
use strongroom::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::{SecretValue, Unlock, Vault};

pub struct Product {
    vault: Vault,
    names: Vec<String>,
}

impl Product {
    /// A new vault gets its secrets at once, each with one version.
    pub fn open(dir: &Path, secrets: usize) -> Self {
        let (folder, key) = (dir.join("vault"), dir.join("vault.key"));
        let names: Vec<String> = (0..secrets).map(name).collect();
        if key.exists() {
            let unlock = Unlock::key_file(&key).expect("the key file is whole");
            let vault = Vault::open(&folder, unlock).expect("the vault opens");
            return Self { vault, names };
        }
        let vault = Vault::builder(&folder);
        let vault = vault.create_with_key_file(&key).expect("the vault can be created");
        std::thread::scope(|scope| {
            for part in names.chunks(names.len().div_ceil(32).max(1)) {
                let vault = &vault;
                scope.spawn(move || {
                    for name in part {
                        let create = CreateSecret::new(name.as_str()).value(secret_value());
                        vault.create_secret(create).expect("the secret can be created");
                    }
                });
            }
        });
        Self { vault, names }
    }
}

fn secret_value() -> SecretValue {
    SecretValue::binary(value())
}

impl Member for Product {
    fn put(&self, secret: usize) {
        let put = PutSecretValue::new(self.names[secret].as_str(), secret_value());
        self.vault.put_secret_value(put).expect("the put succeeds");
    }

    fn get(&self, secret: usize) -> usize {
        let get = GetSecretValue::new(self.names[secret].as_str());
        let found = self.vault.get_secret_value(get).expect("the get succeeds");
        let length = found.value.as_bytes().len();
        assert_eq!(length, VALUE_BYTES);
        length
    }

    fn settle(&self) {
        self.vault.maintain().expect("the maintenance succeeds");
    }

    fn close(self: Box<Self>) {
        self.vault.close().expect("the vault closes");
    }
}
