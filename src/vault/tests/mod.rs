//! What tests of one part cannot show: the order of effects, on every path that ends badly.
//!
//! Most run on a simulated disk without threads; those about sled and about links use a real
//! folder, those about threads have threads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods)]

mod anchors;
mod commit;
mod create;
mod ends;
mod events;
mod key_rotation;
mod layer;
mod parses;
mod repair;
mod replica;
mod values;

use super::commit::job::{Job, Mutate};
use super::commit::pipeline::Task;
use super::job::seal;
use super::{Options, StoreChoice, Vault, VaultDir, Write};
use crate::crypto::{Unlock, key_file};
use crate::env::Env;
use crate::env::sim::{Fault, OpKind, Reach, Sim};
use crate::error::{ErrorKind, Result};
use crate::model::Scope;
use crate::model::api::{CreateSecret, DeleteSecret, GetSecretValue, PutSecretValue};
use crate::secret::{SecretBytes, SecretValue};
use crate::semantics::Answer;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

const DIR: &str = "/vault";

/// A place for a vault, and its key.
struct World {
    env: Env,
    dir: PathBuf,
    store: StoreChoice,
    background: bool,
    key: Mutex<Vec<u8>>,
}

impl World {
    fn on(sim: &Sim) -> Self {
        Self {
            env: sim.env(),
            dir: DIR.into(),
            store: StoreChoice::Memory,
            background: false,
            key: Mutex::default(),
        }
    }

    /// The same for a vault with its threads.
    fn with_threads(sim: &Sim) -> Self {
        Self { background: true, ..Self::on(sim) }
    }

    /// A real folder, with sled.
    fn real(dir: &Path) -> Self {
        Self {
            env: Env::real(),
            dir: dir.join("vault"),
            store: StoreChoice::Auto,
            background: false,
            key: Mutex::default(),
        }
    }

    fn options(&self) -> Options {
        let mut options = Options::default();
        options.tuning.env = Some(self.env.clone());
        options.tuning.store = self.store;
        options.tuning.background = self.background;
        options.tuning.segment_bytes_first = 32 * 1024;
        options.tuning.segment_bytes_max = 64 * 1024;
        options.tuning.reserve_bytes = 64 * 1024;
        options
    }

    fn unlock(&self) -> Unlock {
        Unlock::KeyFile(SecretBytes::copy_from(&self.key.lock().unwrap()))
    }

    fn create(&self) -> Vault {
        self.try_create().unwrap()
    }

    fn try_create(&self) -> Result<Vault> {
        VaultDir::make(&self.dir, &self.options())?.create(|id| {
            let key = key_file::generate(id, self.env.entropy.as_ref()).unwrap();
            *self.key.lock().unwrap() = key.expose().to_vec();
            Ok(self.unlock())
        })
    }

    fn open(&self) -> Result<Vault> {
        self.options().open(&self.dir, &self.unlock())
    }

    fn file(&self, extension: &str) -> PathBuf {
        let folder = self.dir.join("log");
        let names = self.env.fs.read_dir(&folder).unwrap();
        let found = names.iter().rev().find(|entry| entry.name.ends_with(extension)).unwrap();
        folder.join(&found.name)
    }
}

fn create_request(name: &str, text: &str) -> CreateSecret {
    let mut request = CreateSecret::new(name);
    request.value = Some(SecretValue::text(text));
    request
}

fn put_request(name: &str, text: &str, token: u8) -> Write {
    let mut request = PutSecretValue::new(name, SecretValue::text(text));
    request.client_request_token = Some(format!("{token:0>40}"));
    Write::PutSecretValue(request)
}

fn purge_request(name: &str) -> DeleteSecret {
    DeleteSecret {
        secret_id: name.to_owned(),
        recovery_window_in_days: None,
        force_delete_without_recovery: Some(true),
    }
}

fn make(vault: &Vault, name: &str, text: &str) {
    vault.create_secret(create_request(name, text)).unwrap();
}

fn put(vault: &Vault, name: &str, text: &str) -> Result<()> {
    let request = PutSecretValue::new(name, SecretValue::text(text));
    vault.put_secret_value(request).map(drop)
}

fn get(vault: &Vault, name: &str) -> Result<String> {
    let output = vault.get_secret_value(GetSecretValue::new(name))?;
    Ok(String::from_utf8(output.value.bytes().expose().to_vec()).unwrap())
}

/// What the writes come to when they share one batch.
fn together(vault: &Vault, writes: Vec<Write>) -> Vec<Result<Answer>> {
    let results: Arc<Mutex<Vec<_>>> = Arc::default();
    let shared = &vault.inner.shared;
    let mut jobs = Vec::new();
    for (number, write) in writes.into_iter().enumerate() {
        let (mutation, payload) = seal(&shared.keys(), &shared.env, write).unwrap();
        let results = Arc::clone(&results);
        let done = Box::new(move |result| results.lock().unwrap().push((number, result)));
        jobs.push(Job::Mutate(Box::new(Mutate {
            scope: Scope::default(),
            mutation,
            payload,
            done,
        })));
    }
    let completed = vault.inner.driver.control(|pipeline| {
        for job in jobs {
            pipeline.submit(Task::Job(job));
        }
        assert!(pipeline.step());
        pipeline.completed()
    });
    for (done, result) in completed.unwrap() {
        done(result);
    }
    let mut results = std::mem::take(&mut *results.lock().unwrap());
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.err().map(|error| error.kind().clone()).expect("it should have failed")
}

/// Calls of `kind` on segments that fail from the `nth` on, `times` of them.
fn fault(on: OpKind, times: u64, error: io::ErrorKind, reach: Reach) -> Fault {
    Fault { on: vec![on], path_contains: ".wal".to_owned(), nth: 1, times, error, reach }
}
