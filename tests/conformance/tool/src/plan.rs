//! Which vectors are run, and what became of them.

use crate::calls::{self, Client, Place};
use crate::common::sigv4::{Keys, now_seconds};
use crate::vector::{Vector, vectors};

/// The account of those steps that are not the usual one's, as emulators take it for a key.
const OTHER: &str = "111122223333";

/// Which vectors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    All,
    /// What somebody has seen AWS do, or AWS publishes.
    Evident,
    /// What nobody has seen yet and one account can try in one region.
    Open,
}

/// What became of a vector.
pub struct Line {
    pub vector: Vector,
    /// `None`: it passes.
    pub failed: Option<String>,
}

/// What became of a run.
pub struct Outcome {
    pub lines: Vec<Line>,
    /// Vectors that were not run, because the run has ended before them.
    pub not_run: usize,
    pub calls: usize,
    /// Secrets that could not be deleted.
    pub left: Vec<String>,
}

/// Whether evidence is a guess, or our own.
fn is_guess(vector: &Vector) -> bool {
    ["guess", "own", "emu"].iter().any(|tag| vector.evidence.contains(tag))
}

fn is_chosen(vector: &Vector, chosen: Chosen) -> bool {
    let needs = |what: &str| vector.steps.iter().any(|step| step.to_string().contains(what));
    match chosen {
        Chosen::All => true,
        Chosen::Evident => !is_guess(vector),
        Chosen::Open => {
            is_guess(vector)
                && !vector.evidence.contains("own")
                && ![
                    "\"region\":",
                    "\"as\":",
                    "${function}",
                    "${failing}",
                    "AddReplicaRegions",
                    "$list",
                ]
                .iter()
                .any(|what| needs(what))
        }
    }
}

/// Runs the chosen vectors, and deletes what they have made.
pub fn run(place: &Place, chosen: Chosen) -> Outcome {
    place.begin();
    let client = Client::of(&place.url, &place.keys);
    let other = Keys {
        access_key_id: std::env::var("STRONGROOM_CONFORMANCE_OTHER_KEY_ID").unwrap_or(OTHER.into()),
        secret_access_key: std::env::var("STRONGROOM_CONFORMANCE_OTHER_SECRET")
            .unwrap_or("test".into()),
        region: place.keys.region.clone(),
    };
    // Names of their own for every run, since an endpoint may remember the last one.
    let run = format!("{:08x}", now_seconds());
    let (mut lines, mut not_run) = (Vec::new(), 0);
    for (index, vector) in
        vectors().into_iter().enumerate().filter(|(_, vector)| is_chosen(vector, chosen))
    {
        if calls::is_over() {
            not_run += 1;
            continue;
        }
        let failed = vector.run(&client, &other, &run, index).err();
        if failed.as_ref().is_some_and(|why| why.contains("the run has ended")) {
            not_run += 1;
            continue;
        }
        lines.push(Line { vector, failed });
    }
    let calls = calls::count();
    Outcome { lines, not_run, calls, left: place.clean() }
}
