//! A vault that went back in time.

use crate::cmd::{Home, Said, finish, signal};
use crate::table::Row;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};

pub const ROWS: &[Row] = &[Row {
    number: 4,
    people: "two copies of one vault: one is served, `env` asks about the other",
    right: "the kept lines belong to a folder as well as to an id",
    test: "rollback::t04_the_lines_of_a_copy_are_not_the_originals",
}];

/// A copy of a folder as `cp -a` makes it.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// A server that is ready.
fn serve(home: &Home, args: &[&str]) -> Child {
    let all = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
    let mut child = home.strongroom(&all).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while lines.next().expect("the server ended").unwrap() != "Ready." {}
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn stop(child: Child) {
    signal(&child, "TERM");
    assert_eq!(finish(child).code, 0);
}

/// RB-8
#[test]
fn t04_the_lines_of_a_copy_are_not_the_originals() {
    let home = Home::with_vault();
    home.put("a", "one");
    copy(&home.vault(), &home.path("copy"));
    let server = serve(&home, &["--vault", "copy"]);
    let of_copy = home.run(&["env", "--vault", "copy"]).expect(0);
    assert!(of_copy.text().contains("AWS_ENDPOINT_URL_SECRETS_MANAGER"));
    let Said { err, .. } = home.run(&["env"]).expect(3);
    assert!(err.contains("no server was started") && err.contains("copy"), "{err}");
    stop(server);
    let server = serve(&home, &[]);
    home.run(&["env"]).expect(0);
    stop(server);
}
