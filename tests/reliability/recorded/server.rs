//! The real server under strace. Everything that it acknowledged must be on every disk that a power cut
//! could have left, including the key and the credentials that it created.

use super::trace::{self, Event};
use super::{Case, Counts, images, judge_all, prove, strace_works};
use crate::common::rng::Rng;
use crate::common::server::{BIN, Home};
use crate::figures;
use crate::place;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use strongroom::__internals::crypto::Unlock;
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::model::api::{GetSecretValue, ListSecretVersionIds};
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::vault::Options;

const SECRETS: usize = 3;

struct Served {
    events: Vec<Event>,
    home: Home,
    access_key_id: String,
    /// Secret, version, value, in the order of their answers.
    puts: Vec<(String, String, String)>,
}

/// The real server under strace, and one client that waits for each answer.
fn serve(seed: u64, requests: usize) -> Served {
    let home = Home::new();
    let scratch = place::scratch();
    let (script, trace) = (scratch.path().join("traced"), scratch.path().join("trace"));
    let options: Vec<String> = trace::options().iter().map(|word| format!("'{word}'")).collect();
    let text = format!(
        "#!/bin/sh\nexec strace {} -o '{}' '{BIN}' \"$@\"\n",
        options.join(" "),
        trace.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut server = home.serve_with(&script, &[]);
    let mut client = server.client();
    let mut rng = Rng::new(seed);
    let mut puts = Vec::new();
    for n in 0..requests {
        let (token, len) = (rng.uuid(), 1 + rng.below(400));
        let put = (format!("secret-{}", n % SECRETS), token, rng.word(len));
        let mut body = json!({ "ClientRequestToken": put.1, "SecretString": put.2 });
        let create = n < SECRETS;
        body[if create { "Name" } else { "SecretId" }] = put.0.as_str().into();
        client.ok(if create { "CreateSecret" } else { "PutSecretValue" }, &body);
        puts.push(put);
    }
    // The tracer's only child is the server.
    let tracer = server.child.id();
    let children = std::fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children"));
    let pid = children.unwrap().split_whitespace().next().unwrap().to_owned();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    server.child.wait().unwrap();
    let events = trace::parse(&std::fs::read_to_string(&trace).unwrap(), home.path());
    prove(&events, home.path());
    let access_key_id = server.keys.access_key_id.clone();
    Served { events, home, access_key_id, puts }
}

fn judge_server(dir: &Path, case: &Case, served: &Served) -> Result<(), String> {
    let keys = dir.join(".config/strongroom/keys");
    let key = std::fs::read_dir(keys)
        .into_iter()
        .flatten()
        .flatten()
        .find(|entry| entry.path().extension().is_some_and(|end| end == "key"));
    let key = key.and_then(|entry| std::fs::read(entry.path()).ok()).unwrap_or_default();
    let mut options = Options::default();
    options.tuning.background = false;
    options.tuning.store = case.store;
    let unlock = Unlock::KeyFile(SecretBytes::copy_from(&key));
    let vault = match options.open(&dir.join("vault"), &unlock) {
        Err(error) if !case.made => {
            // Never finished, which the next start says and does itself; a finished one has its key.
            return match error.kind() {
                ErrorKind::NotFound { .. } => Ok(()),
                _ => Err(format!("half a vault: {error}")),
            };
        }
        opened => opened.map_err(|error| format!("does not open: {error}"))?,
    };
    for (n, (secret, version, value)) in served.puts.iter().enumerate().take(case.handed) {
        let mut request = GetSecretValue::new(secret.clone());
        request.version_id = Some(version.clone());
        match vault.get_secret_value(request.clone()) {
            Ok(got) if got.value.bytes().expose() == value.as_bytes() => {}
            Ok(_) => return Err(format!("put {n} has another value")),
            Err(error) if n < case.answered => return Err(format!("put {n}: {error}")),
            Err(_) => {}
        }
    }
    let mut stored = 0;
    for n in 0..SECRETS.min(case.answered) {
        let request = ListSecretVersionIds {
            secret_id: format!("secret-{n}"),
            include_deprecated: Some(true),
            ..ListSecretVersionIds::default()
        };
        let page = vault.list_secret_version_ids(request);
        stored += page.map_err(|error| error.to_string())?.versions.len();
    }
    if stored < case.answered || stored > case.handed.max(case.answered) {
        return Err(format!("{stored} versions of {} to {}", case.answered, case.handed));
    }
    let known = vault.credentials().map_err(|error| error.to_string())?;
    if case.answered > 0 && known.iter().all(|pair| pair.access_key_id != served.access_key_id) {
        return Err("the pair that signed is gone".into());
    }
    vault.close().map_err(|error| format!("no close: {error}"))
}

#[test]
fn no_power_cut_of_a_recorded_server_loses_what_was_answered() {
    if !strace_works() {
        return;
    }
    let (seeds, counts) = (figures::seeds(1, 1), Counts::default());
    for seed in seeds.clone() {
        let served = serve(seed, 40);
        counts.calls.fetch_add(served.events.len() as u64, Ordering::Relaxed);
        let failures = judge_all(
            &counts,
            |give| {
                let state = Path::new("vault/state");
                images(&served.events, served.home.path(), state, seed, |_| 0, give);
            },
            |dir, case| judge_server(dir, case, &served),
        );
        assert!(failures.is_empty(), "seed {seed}: {}", failures.join("\n\n"));
    }
    counts.tell("recorded calls, server", &seeds);
}
