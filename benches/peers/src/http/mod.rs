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
use crate::work::VALUE_BYTES;
use client::{exchange, rate};
use server::Server;
use sigv4::Keys;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Names that the requests use. All servers have them.
const SECRETS: usize = 64;

/// One kind of request over so many connections; the servers take turns.
pub fn run(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let puts = job.text("what") == "put";
    let connections = job.number("connections");
    let (product, keys) = Server::product(dir);
    fill(&product.host, &keys);
    let sample = exchange(&product.host, &request(&product.host, &keys, puts, 0));
    let mut servers = vec![("strongroom", product), ("hyper", Server::bare(&sample, None))];
    if puts {
        servers.push(("hyper-durable", Server::bare(&sample, Some(dir))));
    }
    let mut figures = Vec::new();
    if let Some(moto) = Server::moto() {
        fill(&moto.host, &keys);
        servers.push(("moto", moto));
    } else {
        let note = Some("skipped: moto_server is not installed".to_owned());
        figures.push(Figure { member: "moto".to_owned(), note, ..Figure::default() });
    }
    for round in 0..job.number("rounds") {
        for turn in 0..servers.len() {
            let (member, server) = &servers[(round + turn) % servers.len()];
            let make = |n| request(&server.host, &keys, puts, n);
            let mut values = rate(&server.host, connections, puts, job.time(), &make);
            values.insert("rss_mib".to_owned(), rss_mib(server.process()));
            let member = (*member).to_owned();
            figures.push(Figure { member, round, values, ..Figure::default() });
        }
    }
    figures
}

/// A signed request: the `n`th get or put.
fn request(host: &str, keys: &Keys, put: bool, n: usize) -> Vec<u8> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let (now, secret) = (sigv4::now_seconds(), n % SECRETS);
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

fn fill(host: &str, keys: &Keys) {
    for n in 0..SECRETS {
        let value = "v".repeat(VALUE_BYTES);
        let body = format!(
            r#"{{"Name":"secret-{n}","ClientRequestToken":"fill{n:0>28}","SecretString":"{value}"}}"#
        );
        exchange(host, &requests::signed(host, keys, "CreateSecret", &body, sigv4::now_seconds()));
    }
}
