//! Commands that go through the process that holds the vault (rules SOCK in `docs/TRIALS.md`).
//!
//! - `same.rs`: the same answers with and without a holder
//! - `embedded.rs`: a program that holds the vault and listens
//! - `crowd.rs`: many commands at once, writers during a check, ends of the holder
//! - `hostile.rs`: what else listens there or speaks to it
//! - `broken.rs`: answers that break off

use crate::table::Row;

mod broken;
mod crowd;
mod embedded;
mod hostile;
mod same;

pub const ROWS: &[Row] = &[];

use crate::cmd::Home;
use crate::common::server::Server;
use crate::common::sigv4::Keys;
use std::path::PathBuf;
use strongroom::__internals::vault::{Options, VaultDir};

/// The vault of `home`, served.
fn serve(home: &Home) -> Server {
    serve_with(home, &[])
}

fn serve_with(home: &Home, args: &[&str]) -> Server {
    Server::start(home.strongroom(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()))
}

/// The vault of `home`, held by this process, which does not listen.
fn hold(home: &Home) -> VaultDir {
    VaultDir::lock(&home.vault(), &Options::default()).unwrap()
}

fn socket(home: &Home) -> PathBuf {
    home.vault().join("holder.sock")
}

/// A new key pair, made by the command.
fn new_pair(home: &Home) -> Keys {
    let said = home.run(&["credentials", "new"]).expect(0);
    let export = |name: &str| {
        let line =
            said.text().lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
        line.unwrap().to_owned()
    };
    Keys {
        access_key_id: export("AWS_ACCESS_KEY_ID"),
        secret_access_key: export("AWS_SECRET_ACCESS_KEY"),
        region: "us-east-1".to_owned(),
    }
}
