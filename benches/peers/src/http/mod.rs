//! The servers over HTTP: signed gets and puts of 1 KiB over connections that stay open.
//!
//! | file | what is in it |
//! |---|---|
//! | `client.rs` | connections that send requests made ahead |
//! | `server.rs` | the servers as processes: the product's command, hyper alone, moto |
//! | `bare.rs` | hyper alone: it answers at once, or after a group commit of the request's body |

pub mod bare;
mod client;
pub mod server;

#[path = "../../../../tests/common/exports.rs"]
mod exports;
#[path = "../../../../tests/common/http.rs"]
#[allow(dead_code, unreachable_pub, clippy::pedantic)]
mod requests;
#[path = "../../../../tests/common/sigv4.rs"]
#[allow(dead_code, unreachable_pub, clippy::pedantic)]
mod sigv4;

use crate::figures::Figure;
use crate::jobs::Job;
use crate::measure::rss_mib;
use crate::members::PRODUCT;
use crate::work::VALUE_BYTES;
use client::{SECRETS, exchange, rate, send_all};
use server::Server;
use sigv4::Keys;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Connections that fill a server before it is measured. moto sometimes answers 500 to several that create
/// secrets at the same time.
const FILLERS: usize = 16;
const FILLERS_OF_MOTO: usize = 1;

/// One kind of request to one server over so many connections. No other server lives meanwhile.
pub fn run(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let puts = job.text("what") == "put";
    let (server, keys) = match job.text("member") {
        PRODUCT => {
            let (server, keys) = Server::product(dir);
            fill(&server.host, &keys, SECRETS, FILLERS);
            (server, keys)
        }
        "moto" => {
            let Some(server) = Server::moto() else {
                let note = Some("skipped: moto_server is not installed".to_owned());
                return vec![Figure { note, ..Figure::default() }];
            };
            let key = || "moto-checks-no-signature".to_owned();
            let region = "us-east-1".to_owned();
            let keys = Keys { access_key_id: key(), secret_access_key: key(), region };
            fill(&server.host, &keys, SECRETS, FILLERS_OF_MOTO);
            (server, keys)
        }
        bare => {
            let (sample, keys) = sample(&dir.join("sample"), puts);
            (Server::bare(&sample, (bare == "hyper-durable").then_some(dir)), keys)
        }
    };
    let make = |secret| request(&server.host, &keys, puts, secret);
    let measure = |time| rate(&server.host, job.number("connections"), puts, time, &make);
    measure(job.time() / 4);
    let mut values = measure(job.time());
    values.insert("rss_mib".to_owned(), rss_mib(server.process()));
    vec![Figure { values, ..Figure::default() }]
}

/// What the product answers, and the keys that it takes. Its server has ended.
fn sample(folder: &Path, puts: bool) -> (Vec<u8>, Keys) {
    std::fs::create_dir(folder).expect("the folder can be created");
    let (server, keys) = Server::product(folder);
    fill(&server.host, &keys, 1, FILLERS);
    let sample = exchange(&server.host, &request(&server.host, &keys, puts, 0));
    drop(server);
    std::fs::remove_dir_all(folder).expect("the folder can be removed");
    (sample, keys)
}

/// A signed get or put.
fn request(host: &str, keys: &Keys, put: bool, secret: usize) -> Vec<u8> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let now = sigv4::now_seconds();
    if put {
        let token = NEXT.fetch_add(1, Ordering::Relaxed);
        let value = "v".repeat(VALUE_BYTES);
        let body = format!(
            r#"{{"SecretId":"secret-{secret}","ClientRequestToken":"{token:0>32}","SecretString":"{value}"}}"#
        );
        requests::signed(host, keys, "PutSecretValue", &body, now)
    } else {
        let body = format!(r#"{{"SecretId":"secret-{secret}"}}"#);
        requests::signed(host, keys, "GetSecretValue", &body, now)
    }
}

fn fill(host: &str, keys: &Keys, secrets: usize, connections: usize) {
    let value = "v".repeat(VALUE_BYTES);
    send_all(host, connections, secrets, &|n| {
        let body = format!(
            r#"{{"Name":"secret-{n}","ClientRequestToken":"fill{n:0>28}","SecretString":"{value}"}}"#
        );
        requests::signed(host, keys, "CreateSecret", &body, sigv4::now_seconds())
    });
}
