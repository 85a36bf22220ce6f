//! The vault that is damaged: small, closed, with a history, and with the same bytes in every run.

use crate::common::world::{self, Setup, World};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom::__internals::error::Result;
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, GetSecretValue, ListSecretVersionIds, ListSecrets, PutSecretValue,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::store::OrderedStore;
use strongroom::__internals::vault::Vault;
use strongroom_fuzz_bodies::env::sim::SimFs;

/// Bytes of all files of the vault together, at most.
pub const BYTES_MAX: usize = 64 << 10;

/// Everything that can be read, as text.
pub fn dump(vault: &Vault) -> Result<String> {
    let mut text = String::new();
    for secret in vault.list_secrets(ListSecrets::default())?.secrets {
        writeln!(text, "{} {:?} {:?}", secret.name, secret.description, secret.created_date)
            .unwrap();
        let request = ListSecretVersionIds {
            secret_id: secret.name.clone(),
            include_deprecated: Some(true),
            ..ListSecretVersionIds::default()
        };
        for version in vault.list_secret_version_ids(request.clone())?.versions {
            let mut request = GetSecretValue::new(&secret.name);
            request.version_id = Some(version.version_id.to_string());
            let got = vault.get_secret_value(request.clone())?;
            let value = String::from_utf8_lossy(got.value.bytes().expose()).into_owned();
            writeln!(text, " {} {:?} {value}", version.version_id, version.version_stages).unwrap();
        }
    }
    Ok(text)
}

/// A moment of the vault's life: its disk, its state, what it answers.
pub struct Moment {
    pub disk: SimFs,
    pub state: Arc<OrderedStore>,
    pub answers: String,
}

/// The vault, what it was before, and another vault of the same shape.
pub struct Subject {
    pub world: World,
    pub now: Moment,
    pub older: Vec<Moment>,
    pub other: Moment,
    /// What the vault answered after each of its operations: what a salvage may leave.
    pub history: BTreeSet<String>,
}

struct Life {
    world: World,
    moments: Vec<Moment>,
    history: BTreeSet<String>,
}

fn create(vault: &Vault, name: &str) {
    let mut request = CreateSecret::new(name);
    request.client_request_token = Some(format!("{name:c>40}"));
    request.description = Some(format!("about {name}"));
    request.value = Some(SecretValue::text(format!("first of {name}")));
    vault.create_secret(request).unwrap();
}

fn put(vault: &Vault, name: &str, round: usize) {
    let value = SecretValue::text(format!("value {round} of {name}"));
    let mut request = PutSecretValue::new(name, value);
    request.client_request_token = Some(format!("{round}{name:p>40}"));
    vault.put_secret_value(request).unwrap();
}

/// With so small a memtable that rows are flushed in between.
fn setup() -> Setup {
    Setup { memtable: Some(2 << 10), ..Setup::default() }
}

/// Three sessions: frames; a compaction; frames behind the snapshot.
fn live(seed: u64) -> Life {
    let world = World::new(seed);
    let (mut moments, mut history) = (Vec::new(), BTreeSet::new());
    let mut vault = world.create(&setup()).unwrap();
    history.insert(dump(&vault).unwrap());
    let mut note = |vault: &Vault| {
        history.insert(dump(vault).unwrap());
    };
    for session in 0..3 {
        if session > 0 {
            vault = world.open(&setup()).unwrap();
        }
        match session {
            0 => ["a", "b", "c"].iter().for_each(|name| {
                create(&vault, name);
                note(&vault);
            }),
            1 => {
                put(&vault, "a", 1);
                note(&vault);
                let request = DeleteSecret {
                    secret_id: "c".into(),
                    force_delete_without_recovery: Some(true),
                    ..DeleteSecret::default()
                };
                vault.delete_secret(request).unwrap();
                note(&vault);
                vault.maintain().unwrap();
            }
            _ => {
                put(&vault, "b", 2);
                note(&vault);
                put(&vault, "a", 2);
                note(&vault);
            }
        }
        let (state, answers) = (world::state_of(&vault), dump(&vault).unwrap());
        vault.close().unwrap();
        // It names the process, and the cases are to be the same in each.
        let lock = Path::new("/vault/LOCK");
        world.sim.fs.truncate(lock, 0).unwrap();
        world.sim.fs.overwrite(lock, 0, b"12345\n").unwrap();
        moments.push(Moment { disk: world.sim.fs.fork(), state, answers });
    }
    Life { world, moments, history }
}

impl Subject {
    pub fn new() -> Self {
        let Life { world, moments: mut older, history } = live(4001);
        let other = live(4002).moments.pop().unwrap();
        let mut now = older.pop().unwrap();
        // Reading leaves marks: what it answers is what an opened copy answers.
        let subject = world.on_image(&now.disk, world.wall(), 1).with_state(Some(&now.state));
        let vault = subject.open(&Setup::default()).unwrap();
        now.answers = dump(&vault).unwrap();
        assert!(history.contains(&now.answers));
        Self { world, now, older, other, history }
    }

    /// A fresh copy of the closed vault, with `state` beside it.
    pub fn copy(&self, state: Option<&Arc<OrderedStore>>) -> World {
        self.world.on_image(&self.now.disk, self.world.wall(), 7).with_state(state)
    }
}

/// Paths with contents.
pub fn files(disk: &SimFs) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = disk.paths().into_iter();
    paths.map(|path| (path.clone(), disk.read_all(&path).unwrap())).collect()
}
