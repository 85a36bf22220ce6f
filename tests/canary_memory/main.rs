//! After 1,000 puts and gets over HTTP with fresh canaries of 24 random bytes, with all connections
//! closed and a second of rest, none of them is in the server's writable memory. The same server
//! with the ordinary allocator shows that the search would find them.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::rng::Rng;
use common::search::Needles;
use common::server::{BIN, Home};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What of `needles` is in the writable memory of a process, and how many bytes were searched.
fn scan(pid: u32, needles: &Needles) -> std::io::Result<(BTreeSet<usize>, u64)> {
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let (mut found, mut searched) = (BTreeSet::new(), 0);
    for line in std::fs::read_to_string(format!("/proc/{pid}/maps"))?.lines() {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(rights)) = (fields.next(), fields.next()) else { continue };
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        // Windows overlap, so that nothing hides on an edge.
        const WINDOW: u64 = 8 << 20;
        let mut at = from;
        while at < to {
            let len = usize::try_from((to - at).min(WINDOW + 256)).unwrap();
            let mut bytes = vec![0; len];
            // Some mappings (of the kernel's own) cannot be read: they hold nothing of ours.
            if let Ok(read) = memory.read_at(&mut bytes, at) {
                found.extend(needles.find(&bytes[..read]));
                searched += read as u64;
            }
            at += WINDOW;
        }
    }
    Ok((found, searched))
}

/// 1,000 puts and gets; what the memory of the server holds afterwards.
fn exercise(binary: &Path) -> Option<(usize, u64)> {
    let home = Home::new();
    let server = home.serve_with(binary, &[]);
    let mut rng = Rng::new(std::process::id().into());
    let mut canaries: Vec<Vec<u8>> = (0..1_000).map(|_| rng.bytes(24)).collect();
    let mut client = server.client();
    for n in 0..20 {
        client.ok(
            "CreateSecret",
            &json!({"Name": format!("m{n}"), "ClientRequestToken": rng.uuid()}),
        );
    }
    // Tokens of rotations and passwords are as secret as values, and are searched for too.
    let mut others = Vec::new();
    for (n, canary) in canaries.iter().enumerate() {
        if n % 50 == 0 {
            client = server.client();
        }
        let (name, token) = (format!("m{}", n % 20), rng.uuid());
        let text = STANDARD.encode(canary);
        // Binary, text, text with escapes (which a JSON reader copies), and long text.
        let (member, value) = match n % 4 {
            0 => ("SecretBinary", text.clone()),
            1 => ("SecretString", text.clone()),
            2 => ("SecretString", format!("\"{text}\"\n\u{1F511}")),
            _ => ("SecretString", format!("{}{text}", "x".repeat(9_000))),
        };
        let mut put = json!({"SecretId": name, "ClientRequestToken": token, member: value});
        if n % 10 == 0 {
            let rotation = rng.uuid();
            put["RotationToken"] = json!(rotation);
            others.push(rotation.into_bytes());
        }
        client.ok("PutSecretValue", &put);
        let got = client.ok("GetSecretValue", &json!({"SecretId": name, "VersionId": token}));
        assert_eq!(got[member], value.as_str());
        if n % 20 == 19 {
            let names: Vec<String> = (0..20).map(|n| format!("m{n}")).collect();
            let batch = client.ok("BatchGetSecretValue", &json!({"SecretIdList": names}));
            assert_eq!(batch["SecretValues"].as_array().unwrap().len(), 20);
            let request = json!({"PasswordLength": 24, "ExcludePunctuation": true});
            let drawn = client.ok("GetRandomPassword", &request);
            others.push(drawn["RandomPassword"].as_str().unwrap().as_bytes().to_vec());
        }
    }
    canaries.append(&mut others);
    drop(client);
    std::thread::sleep(Duration::from_secs(1));
    let needles = Needles::new(&canaries);
    match scan(server.child.id(), &needles) {
        Ok((found, searched)) => {
            assert!(searched > 1 << 20, "only {searched} bytes could be read");
            Some((found.len(), searched))
        }
        Err(error) => {
            println!("SKIP the memory of another process cannot be read here: {error}");
            None
        }
    }
}

/// The same server without the zeroing allocator: an example target, built when it is not there.
fn plain_allocator() -> PathBuf {
    let target = Path::new(BIN).parent().unwrap();
    let path = target.join("examples/strongroom-plain-alloc");
    if !path.exists() {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "strongroom-plain-alloc"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "the control does not build");
    }
    path
}

/// WIRE-JSON-6: requests, parsed strings and answers, all wiped.
#[test]
fn no_value_stays_in_the_servers_memory() {
    let Some((found, searched)) = exercise(Path::new(BIN)) else { return };
    println!("zeroing allocator: {found} of 1150 canaries in {searched} bytes");
    assert_eq!(found, 0);
}

#[test]
fn the_same_search_finds_values_when_freed_memory_is_not_zeroed() {
    let Some((found, searched)) = exercise(&plain_allocator()) else { return };
    println!("ordinary allocator: {found} of 1150 canaries in {searched} bytes");
    assert!(found > 0, "the control finds nothing: the search or the exercise proves nothing");
}
