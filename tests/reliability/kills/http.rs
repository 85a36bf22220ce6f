//! Sixteen writers over HTTP against the real server, which is killed with `kill -9` under load, round after
//! round. Every acknowledged version must be readable after each restart.
//!
//! Each seed is a round, and all rounds use one vault: `STRONGROOM_SEEDS=1..201` is the full tier.
use crate::common::http::Client;
use crate::common::rng::Rng;
use crate::common::server::{Home, Server};
use crate::figures;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const WRITERS: usize = 16;
const SECRETS: usize = 8;

#[derive(Clone, Debug)]
struct Put {
    secret: String,
    token: String,
    value: String,
}

/// One round: how many puts were acknowledged, and whether one was on its way when the power went.
struct Round {
    acknowledged: Vec<Put>,
    /// Handed over and never answered: may be there or not.
    open: Vec<Put>,
    in_flight_after_20: bool,
}

fn write_until_killed(server: Server, rng: &mut Rng) -> Round {
    let acknowledged = Mutex::new(Vec::new());
    let open = Mutex::new(Vec::new());
    let count = AtomicU64::new(0);
    let flying = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let wait = Duration::from_micros(rng.range(0..40_000));
    let (host, keys, seed) = (server.host.clone(), server.keys.clone(), rng.next_u64());
    let mut in_flight_after_20 = false;
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (host, keys) = (&host, &keys);
            let (acknowledged, open, count, flying, stop) =
                (&acknowledged, &open, &count, &flying, &stop);
            scope.spawn(move || {
                let mut rng = Rng::new(seed ^ writer as u64);
                let Ok(mut client) = Client::connect(host, keys) else { return };
                while !stop.load(Ordering::SeqCst) {
                    let len = 20 + rng.below(200);
                    let put = Put {
                        secret: format!("kill-{}", rng.below(SECRETS)),
                        token: rng.uuid(),
                        value: rng.word(len),
                    };
                    let mut body = json!({
                        "SecretId": put.secret,
                        "ClientRequestToken": put.token,
                        "SecretString": put.value,
                    });
                    if rng.chance(20) {
                        body["VersionStages"] = json!([format!("label-{}", rng.below(4))]);
                    }
                    flying.fetch_add(1, Ordering::SeqCst);
                    let answer = client.call("PutSecretValue", &body);
                    match answer {
                        Ok(response) => {
                            flying.fetch_sub(1, Ordering::SeqCst);
                            let text = String::from_utf8_lossy(&response.body).into_owned();
                            assert_eq!(response.status, 200, "{text}");
                            assert_eq!(response.json()["VersionId"], put.token.as_str());
                            acknowledged.lock().unwrap().push(put);
                            count.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(_) => {
                            // `flying` stays up: this one was on its way when the server died.
                            open.lock().unwrap().push(put);
                            return;
                        }
                    }
                }
            });
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        while count.load(Ordering::SeqCst) < 20 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(wait);
        let enough = count.load(Ordering::SeqCst) >= 20;
        server.kill9();
        stop.store(true, Ordering::SeqCst);
        // Writers whose request was unanswered have left it counted.
        std::thread::sleep(Duration::from_millis(20));
        in_flight_after_20 = enough && flying.load(Ordering::SeqCst) > 0;
    });
    Round {
        acknowledged: acknowledged.into_inner().unwrap(),
        open: open.into_inner().unwrap(),
        in_flight_after_20,
    }
}

/// Labels of a secret: one AWSCURRENT, no label twice, AWSPREVIOUS on another version.
fn labels_are_legal(client: &mut Client, secret: &str) {
    let described = client.ok("DescribeSecret", &json!({ "SecretId": secret }));
    let mut seen = BTreeMap::new();
    for (version, stages) in described["VersionIdsToStages"].as_object().into_iter().flatten() {
        for stage in stages.as_array().unwrap() {
            let other = seen.insert(stage.as_str().unwrap().to_owned(), version.clone());
            assert_eq!(other, None, "{secret}: {stage} is on two versions");
        }
    }
    if described["VersionIdsToStages"].is_object() {
        let current = seen.get("AWSCURRENT").expect("a secret with versions has AWSCURRENT");
        assert_ne!(seen.get("AWSPREVIOUS"), Some(current), "{secret}");
        let got = client.ok("GetSecretValue", &json!({ "SecretId": secret }));
        assert_eq!(got["VersionId"], current.as_str());
    }
}

fn readable(client: &mut Client, put: &Put) {
    let request = json!({ "SecretId": put.secret, "VersionId": put.token });
    let got = client.ok("GetSecretValue", &request);
    assert_eq!(got["SecretString"], put.value.as_str(), "{put:?}");
}

fn versions(client: &mut Client, secret: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut request = json!({ "SecretId": secret, "IncludeDeprecated": true, "MaxResults": 100 });
    loop {
        let page = client.ok("ListSecretVersionIds", &request);
        for version in page["Versions"].as_array().unwrap() {
            ids.insert(version["VersionId"].as_str().unwrap().to_owned());
        }
        if page["NextToken"] == Value::Null {
            return ids;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
}

#[test]
fn no_acknowledged_version_is_lost_by_kill_9() {
    let seeds = figures::seeds(10, 25);
    let rounds = seeds.end - seeds.start;
    let home = Home::new();
    let mut rng = Rng::new(seeds.start);
    let mut all: Vec<Put> = Vec::new();
    let mut open: Vec<Put> = Vec::new();
    let (mut busy, mut landed) = (0, 0);
    {
        let server = home.serve();
        let mut client = server.client();
        for n in 0..SECRETS {
            let token = rng.uuid();
            let request = json!({ "Name": format!("kill-{n}"), "ClientRequestToken": token });
            client.ok("CreateSecret", &request);
        }
        server.kill9();
    }
    for round in seeds.clone() {
        let server = home.serve();
        let mut client = server.client();
        // All of the last round, and a sample of everything before it.
        let recent = all.len().saturating_sub(400);
        for put in &all[recent..] {
            readable(&mut client, put);
        }
        for _ in 0..recent.min(50) {
            readable(&mut client, &all[rng.below(recent)]);
        }
        for n in 0..SECRETS {
            labels_are_legal(&mut client, &format!("kill-{n}"));
        }
        drop(client);
        let result = write_until_killed(server, &mut rng);
        busy += u64::from(result.in_flight_after_20);
        all.extend(result.acknowledged);
        open.extend(result.open);
        let check = home.run(&["check"]);
        let said = String::from_utf8_lossy(&check.stderr);
        assert_eq!(check.status.code(), Some(0), "round {round}: {said}");
    }
    let server = home.serve();
    let mut client = server.client();
    let mut stored = 0;
    for n in 0..SECRETS {
        stored += versions(&mut client, &format!("kill-{n}")).len();
    }
    all.iter().for_each(|put| readable(&mut client, put));
    for put in &open {
        let request = json!({ "SecretId": put.secret, "VersionId": put.token });
        let response = client.call("GetSecretValue", &request).unwrap();
        match response.status {
            200 => {
                assert_eq!(response.json()["SecretString"], put.value.as_str(), "half of {put:?}");
                landed += 1;
            }
            _ => assert_eq!(response.error(), "ResourceNotFoundException"),
        }
    }
    assert_eq!(stored, all.len() + landed, "versions that nobody put");
    assert!(busy * 4 >= rounds * 3, "too few rounds had a request in flight");
    assert_eq!(server.stop(), Some(0), "a graceful stop is exit 0");
    figures::tell(
        "kill -9 of the server",
        &seeds,
        &[
            ("kills", rounds),
            ("with a request in flight after 20 answers", busy),
            ("puts acknowledged", all.len() as u64),
            ("unanswered", open.len() as u64),
            ("unanswered and stored", landed as u64),
        ],
    );
}
