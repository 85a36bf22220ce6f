//! Scripts of operations from a seed, what they answer as text, and images of vaults.

use arbitrary::{Arbitrary, Unstructured};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;
use strongroom::__internals::env::read_file;
use strongroom::__internals::env::{Entropy, UnixMillis};
use strongroom::__internals::error::Error;
use strongroom::__internals::model::api::{GetSecretValueResponse, Request, Response};
use strongroom::__internals::model::{Scope, Tree};
use strongroom::__internals::vault::{Options, RotationFunctions, Vault, internals};
use strongroom::testkit::Ephemeral;
use strongroom::testkit::Machine;
use strongroom_fuzz_bodies::env::sim::SimEntropy;

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
    Call(Scope, Box<Request>),
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
            _ => Step::Call(Scope::arbitrary(u).unwrap(), Box::new(Request::arbitrary(u).unwrap())),
        }
    })
}

/// Runs steps of the script of `seed`, and returns the answers as lines.
pub fn run(
    vault: &Vault,
    machine: &Machine,
    seed: u64,
    range: std::ops::Range<u64>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for step in steps(seed, range) {
        lines.push(match step {
            Step::Maintain => told(vault.maintain().map(|()| Response::TagResource(()))),
            Step::Advance(span) => {
                machine.clock.advance(span);
                continue;
            }
            Step::Call(scope, call) => {
                let name = call.operation().name();
                format!("{name} {}", told(vault.in_scope(&scope).perform(*call)))
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

/// The names that the structures of answers had when the fingerprints were taken.
const NAMES: [(&str, &str); 14] = [
    ("ApiErrorType", "BatchError"),
    ("AssociationResponse", "Associated"),
    ("DeleteSecretResponse", "Deleted"),
    ("DescribeSecretResponse", "Description"),
    ("GetResourcePolicyResponse", "ResourcePolicy"),
    ("ListResourcePoliciesResponse", "PolicyPage"),
    ("ListSecretVersionIdsResponse", "VersionPage"),
    ("ListSecretsResponse", "SecretPage"),
    ("ValidateResourcePolicyResponse", "PolicyValidation"),
    ("PolicyResponse", "PolicyNamed"),
    ("ReplicationResponse", "Replicated"),
    ("SecretResponse", "Named"),
    ("SecretVersionsListEntry", "VersionEntry"),
    ("VersionResponse", "Written"),
];

fn debug<T: Debug>(answer: &T) -> String {
    let text = format!("{answer:?}").replace("ValidationErrorsEntry", "PolicyFinding");
    NAMES.iter().fold(text, |text, (name, before)| {
        text.replace(&format!("{name} {{"), &format!("{before} {{"))
    })
}

pub fn told(answer: Result<Response, Error>) -> String {
    match answer {
        Err(error) => format!("error {error}"),
        Ok(answer) => match &answer {
            Response::GetSecretValue(output) => value(output),
            Response::BatchGetSecretValue(batch) => {
                let values: Vec<String> = batch.values.iter().map(value).collect();
                format!("{values:?} {:?} {}", batch.next_token, debug(&batch.errors))
            }
            Response::GetRandomPassword(password) => debug(&password.expose()),
            Response::TagResource(()) | Response::UntagResource(()) => "nothing".to_owned(),
            Response::AssociateCrossAccountReplica(answer)
            | Response::DisassociateCrossAccountReplica(answer) => debug(answer),
            Response::CancelRotateSecret(answer)
            | Response::CreateSecret(answer)
            | Response::PutSecretValue(answer)
            | Response::RotateSecret(answer)
            | Response::UpdateSecret(answer) => debug(answer),
            Response::DeleteResourcePolicy(answer) | Response::PutResourcePolicy(answer) => {
                debug(answer)
            }
            Response::RemoveRegionsFromReplication(answer)
            | Response::ReplicateSecretToRegions(answer) => debug(answer),
            Response::RestoreSecret(answer)
            | Response::StopReplicationToReplica(answer)
            | Response::UpdateSecretVersionStage(answer) => debug(answer),
            Response::DeleteSecret(answer) => debug(answer),
            Response::DescribeSecret(answer) => debug(answer),
            Response::GetResourcePolicy(answer) => debug(answer),
            Response::ListResourcePolicies(answer) => debug(answer),
            Response::ListSecretVersionIds(answer) => debug(answer),
            Response::ListSecrets(answer) => debug(answer),
            Response::ValidateResourcePolicy(answer) => debug(answer),
        },
    }
}

/// All files of the simulated disk but LOCK, which holds the number of a process.
pub fn files(machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    let dir = Path::new(Ephemeral::DIR);
    let relative = |path: &Path| path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
    let paths = machine.fs.paths().into_iter();
    let files =
        paths.map(|path| (relative(&path), read_file(&*machine.fs, &path, u64::MAX).unwrap()));
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

pub const START: UnixMillis = strongroom_fuzz_bodies::env::sim::SIM_START;
