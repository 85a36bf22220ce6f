//! Scripts of operations from a seed, what they answer as text, and images of vaults.

use arbitrary::{Arbitrary, Unstructured};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;
use strongroom::__internals::env::sim::{Sim, SimEntropy};
use strongroom::__internals::env::{Entropy, UnixMillis};
use strongroom::__internals::error::Error;
use strongroom::__internals::model::api::GetSecretValueResponse;
use strongroom::__internals::model::{Scope, Tree};
use strongroom::__internals::vault::{Options, RotationFunctions, Vault, internals};
use strongroom::testkit::{Answer, Call, Ephemeral};

pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const STEP_BYTES: usize = 512;

/// A function that rotates, so that scripts can.
pub fn options() -> Options {
    let rotate = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
    Options {
        rotation: RotationFunctions::default().with_random(rotate, 20),
        ..Ephemeral::options()
    }
}

/// One step of a script.
enum Step {
    Call(Scope, Box<Call>),
    Advance(Duration),
    Maintain,
}

/// Steps `from..to` of the script of `seed`: each follows from the seed and its own number.
fn steps(seed: u64, range: std::ops::Range<u64>) -> impl Iterator<Item = Step> {
    range.map(move |number| {
        let mut bytes = vec![0; STEP_BYTES];
        SimEntropy::from_seed(seed.wrapping_mul(1_000_003) + number).fill(&mut bytes).unwrap();
        let u = &mut Unstructured::new(&bytes);
        match u.int_in_range(0_u8..=39).unwrap() {
            0 => Step::Maintain,
            1 => Step::Advance(DAY * u.int_in_range(1..=20).unwrap()),
            2..=9 => Step::Advance(Duration::from_millis(u.int_in_range(1..=100_000).unwrap())),
            _ => Step::Call(Scope::arbitrary(u).unwrap(), Box::new(Call::arbitrary(u).unwrap())),
        }
    })
}

/// Runs steps of the script of `seed`, and returns the answers as lines.
pub fn run(vault: &Vault, machine: &Sim, seed: u64, range: std::ops::Range<u64>) -> Vec<String> {
    let mut lines = Vec::new();
    for step in steps(seed, range) {
        lines.push(match step {
            Step::Maintain => told(vault.maintain().map(|()| Answer::Nothing)),
            Step::Advance(span) => {
                machine.clock.advance(span);
                continue;
            }
            Step::Call(scope, call) => {
                let name = call.operation();
                format!("{name} {}", told(call.perform(&vault.in_scope(&scope))))
            }
        });
    }
    lines
}

fn value(output: &GetSecretValueResponse) -> String {
    let GetSecretValueResponse { arn, name, version_id, value, version_stages, created_date } =
        output;
    let (kind, bytes) = (value.kind(), value.bytes().expose());
    format!("{arn} {name} {version_id} {kind:?} {bytes:?} {version_stages:?} {created_date:?}")
}

fn debug<T: Debug>(answer: &T) -> String {
    format!("{answer:?}")
}

pub fn told(answer: Result<Answer, Error>) -> String {
    match answer {
        Err(error) => format!("error {error}"),
        Ok(answer) => match &answer {
            Answer::Associated(answer) => debug(answer),
            Answer::Batch(batch) => {
                let values: Vec<String> = batch.values.iter().map(value).collect();
                format!("{values:?} {:?} {:?}", batch.next_token, batch.errors)
            }
            Answer::Deleted(answer) => debug(answer),
            Answer::Description(answer) => debug(answer),
            Answer::Named(answer) => debug(answer),
            Answer::Nothing => "nothing".to_owned(),
            Answer::Password(password) => debug(&password.expose()),
            Answer::Policy(answer) => debug(answer),
            Answer::PolicyNamed(answer) => debug(answer),
            Answer::PolicyPage(answer) => debug(answer),
            Answer::PolicyValidation(answer) => debug(answer),
            Answer::Replicated(answer) => debug(answer),
            Answer::SecretPage(answer) => debug(answer),
            Answer::Value(output) => value(output),
            Answer::VersionPage(answer) => debug(answer),
            Answer::Written(answer) => debug(answer),
        },
    }
}

/// All files of the simulated disk but LOCK, which holds the number of a process.
pub fn files(machine: &Sim) -> BTreeMap<String, Vec<u8>> {
    let dir = Path::new(Ephemeral::DIR);
    let relative = |path: &Path| path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
    let paths = machine.fs.paths().into_iter();
    let files = paths.map(|path| (relative(&path), machine.fs.read_all(&path).unwrap()));
    files.filter(|(name, _)| name != "LOCK").collect()
}

/// All rows, sealed as they are.
pub fn rows(vault: &Vault) -> Vec<(u8, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    internals::with_store(vault, |store| {
        for tree in Tree::ALL {
            let mut each = |key: &[u8], value: &[u8]| {
                rows.push((tree as u8, key.to_vec(), value.to_vec()));
            };
            store.scan(tree, &mut each).unwrap();
        }
    })
    .unwrap();
    rows
}

/// Everything of a vault that can be compared.
#[derive(PartialEq, Eq)]
pub struct Image {
    pub files: BTreeMap<String, Vec<u8>>,
    pub rows: Vec<(u8, Vec<u8>, Vec<u8>)>,
}

pub fn image(vault: &Ephemeral) -> Image {
    Image { files: files(vault.machine()), rows: rows(vault) }
}

/// SHA-256 over files, rows and answers, each with its length.
pub fn fingerprint(image: &Image, answers: &[String]) -> String {
    let mut hash = Sha256::new();
    let mut piece = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for (name, content) in &image.files {
        piece(name.as_bytes());
        piece(content);
    }
    for (tree, key, value) in &image.rows {
        piece(&[*tree]);
        piece(key);
        piece(value);
    }
    answers.iter().for_each(|line| piece(line.as_bytes()));
    hex::encode(hash.finalize())
}

pub const START: UnixMillis = strongroom::__internals::env::sim::SIM_START;
