//! `strongroom serve` and `strongroom env` through the real binary.

use crate::cmd::{Home, Served, feed, finish, mode, signal};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A running server with its printed lines.
struct Serving(Served);

impl Serving {
    #[track_caller]
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut all = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        if !args.contains(&"--no-print-credentials") {
            all.push("--print-credentials");
        }
        Self(Served::start(home.strongroom(&all)))
    }

    fn exports(&self) -> Vec<&str> {
        self.0.said.iter().map(String::as_str).filter(|line| line.starts_with("export ")).collect()
    }

    fn value(&self, name: &str) -> String {
        self.0.value(name)
    }

    /// All but the endpoints, whose port is another at each start.
    fn lasting(&self) -> Vec<String> {
        self.exports().into_iter().skip(2).map(str::to_owned).collect()
    }

    fn stop(self, name: &str) -> (i32, String) {
        self.0.stop(name)
    }
}

const NAMES: [&str; 6] = [
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
];

#[test]
fn a_first_start_makes_the_vault_and_prints_the_lines_in_their_order() {
    let home = Home::new();
    let serving = Serving::start(&home, &[]);
    let names: Vec<&str> = serving
        .exports()
        .into_iter()
        .map(|line| line.strip_prefix("export ").unwrap().split_once('=').unwrap().0)
        .collect();
    assert_eq!(names, NAMES);
    assert!(serving.0.said.last().unwrap().starts_with("export AWS_DEFAULT_REGION="));
    assert_eq!(serving.value("AWS_REGION"), "us-east-1");
    home.key_file();
    let url = serving.value(NAMES[0]);
    let address = url.strip_prefix("http://").unwrap();
    assert!(!address.ends_with(":0"));
    TcpStream::connect(address).unwrap();
    assert_eq!(serving.stop("TERM").0, 0);
    home.run(&["ls"]).expect(0);
}

#[test]
fn both_signals_stop_it_in_order() {
    let home = Home::with_vault();
    for name in ["TERM", "INT"] {
        let (code, rest) = Serving::start(&home, &[]).stop(name);
        assert_eq!((code, rest.as_str()), (0, ""), "{name}");
        assert_eq!(home.run(&["check"]).expect(0).err, "", "{name}: a clean close");
    }
}

/// A signal that comes right behind `Ready.` must not be lost.
#[test]
fn a_signal_at_once_stops_it_too() {
    let home = Home::with_vault();
    for _ in 0..5 {
        assert_eq!(Serving::start(&home, &[]).stop("TERM").0, 0);
    }
}

#[test]
fn the_pair_stays_the_same_after_a_clean_stop_and_after_kill_9() {
    let home = Home::new();
    let first = Serving::start(&home, &[]);
    let lines = first.lasting();
    drop(first); // SIGKILL
    let second = Serving::start(&home, &[]);
    assert_eq!(second.lasting(), lines);
    second.stop("TERM");
    home.run(&["credentials", "new"]).expect(0);
    assert_eq!(Serving::start(&home, &[]).lasting(), lines, "a second pair changes nothing");
    std::fs::remove_dir_all(home.vault().join("state")).unwrap();
    assert_eq!(Serving::start(&home, &[]).lasting(), lines);
}

#[test]
fn the_pair_does_not_depend_on_client_env() {
    let home = Home::new();
    let lines = Serving::start(&home, &[]).lasting();
    for entry in std::fs::read_dir(home.keys()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().unwrap() == "env" {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(Serving::start(&home, &[]).lasting(), lines);
}

#[test]
fn a_revoked_pair_is_not_handed_out_again() {
    let home = Home::new();
    let first = Serving::start(&home, &[]);
    let old = first.value("AWS_ACCESS_KEY_ID").to_owned();
    first.stop("TERM");
    home.run(&["credentials", "revoke", &old]).expect(0);
    assert_ne!(Serving::start(&home, &[]).value("AWS_ACCESS_KEY_ID"), old);
}

#[test]
fn env_prints_the_lines_also_while_the_vault_is_held() {
    let home = Home::with_vault();
    home.run(&["env"]).expect(3);
    let serving = Serving::start(&home, &["--region", "eu-west-1"]);
    let printed = home.run(&["env"]).expect(0);
    assert_eq!(printed.text().lines().collect::<Vec<_>>(), serving.exports());
    assert_eq!(serving.value("AWS_REGION"), "eu-west-1");
    let kept = home.keys().join("client.env");
    assert_eq!(mode(&kept), 0o600);
    let kept = std::fs::read_to_string(kept).unwrap();
    for line in serving.exports() {
        assert!(kept.lines().any(|kept| kept == line), "{line}");
    }
    serving.stop("TERM");
    assert_eq!(home.run(&["env"]).expect(0).text(), printed.text());
}

#[test]
fn two_vaults_with_one_keys_folder_do_not_mix_their_lines_up() {
    let home = Home::new();
    let a = Serving::start(&home, &["--vault", "a"]);
    let b = Serving::start(&home, &["--vault", "b"]);
    for (name, serving) in [("a", &a), ("b", &b)] {
        let printed = home.run(&["env", "--vault", name]).expect(0);
        assert_eq!(printed.text().lines().collect::<Vec<_>>(), serving.exports());
    }
    let last = std::fs::read_to_string(home.keys().join("client.env")).unwrap();
    assert!(last.contains(&b.value("AWS_ACCESS_KEY_ID")));
}

#[test]
fn the_lines_stand_beside_a_key_file_that_was_pointed_at() {
    let home = Home::new();
    let serving = Serving::start(&home, &["--key-file", "usb/k"]);
    assert_eq!(mode(&home.path("usb/client.env")), 0o600);
    assert!(!home.keys().exists());
    let printed = home.run(&["env", "--key-file", "usb/k"]).expect(0);
    assert_eq!(printed.text().lines().collect::<Vec<_>>(), serving.exports());
}

#[test]
fn the_pair_can_be_left_out_of_the_log() {
    let home = Home::new();
    let serving = Serving::start(&home, &["--no-print-credentials"]);
    let lines = serving.exports();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| !line.contains("ACCESS_KEY")), "{lines:?}");
    assert_eq!(home.run(&["env"]).expect(0).text().lines().count(), 6);
}

/// What other commands do is in `tests/trials/socket`.
#[test]
fn a_vault_that_is_served_is_in_use_for_whoever_needs_all_of_it() {
    let home = Home::with_vault();
    let serving = Serving::start(&home, &[]);
    let pid = format!("pid={}", serving.0.id());
    let url = serving.value(NAMES[0]);
    let address = url.strip_prefix("http://").unwrap();
    for args in
        [&["init"][..], &["repair"], &["repair", "--accept-loss"], &["serve", "--listen", address]]
    {
        let said = home.run(args).expect(6);
        assert!(said.err.contains(&pid), "{args:?}: {}", said.err);
    }
}

#[test]
fn a_taken_port_is_exit_1_and_names_it() {
    let home = Home::with_vault();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = home.run(&["serve", "--listen", &address]).expect(1);
    assert!(said.err.contains(&address) && !said.err.contains("Ready."), "{}", said.err);
}

#[test]
fn an_ephemeral_server_leaves_nothing_behind() {
    let home = Home::new();
    let serving = Serving::start(&home, &["--ephemeral"]);
    assert_eq!(serving.exports().len(), 6);
    assert_eq!(serving.stop("TERM").0, 0);
    assert_eq!(crate::cmd::tree(&home.path(".")), Vec::<std::path::PathBuf>::new());
}

#[test]
fn without_signatures_it_warns_loudly_and_stays_on_loopback() {
    let home = Home::with_vault();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        home.run(&["serve", "--auth", "none", "--listen", listen]).expect(2);
    }
    let serving = Serving::start(&home, &["--auth", "none"]);
    assert!(serving.0.said.iter().any(|line| line.contains("SIGNATURES ARE NOT CHECKED")));
    assert_eq!(serving.exports().len(), 6);
    let url = serving.value(NAMES[0]);
    let address = url.strip_prefix("http://").unwrap();
    let create = br#"{"Name":"n","SecretString":"v","ClientRequestToken":"11111111-2222-3333-4444-555555555555"}"#;
    assert!(post(address, "CreateSecret", create).starts_with("HTTP/1.1 200"));
    serving.stop("TERM");
    assert_eq!(home.get("n"), b"v");
}

#[test]
fn with_signatures_an_unsigned_request_is_refused() {
    let home = Home::with_vault();
    let serving = Serving::start(&home, &[]);
    let url = serving.value(NAMES[0]);
    let address = url.strip_prefix("http://").unwrap();
    let answer = post(address, "ListSecrets", b"{}");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("MissingAuthenticationToken"));
}

#[test]
fn it_serves_a_vault_that_opens_with_a_passphrase() {
    let home = Home::new();
    let file = home.file("p", "correct horse\n");
    let serving = Serving::start(&home, &["--passphrase-file", &file]);
    assert_eq!(serving.exports().len(), 6);
    serving.stop("TERM");
    home.run(&["ls"]).expect(4);
    home.run(&["ls", "--passphrase-file", &file]).expect(0);
    let said = feed(home.strongroom(&["ls", "--passphrase-file", "-"]), "wrong");
    said.expect(4);
    let printed = home.run(&["env", "--passphrase-file", &file]).expect(0);
    assert_eq!(printed.text().lines().count(), 6);
}

/// Ctrl-C before the server has begun is the ordinary 130.
#[test]
fn ctrl_c_while_it_waits_for_the_vault_is_exit_130() {
    let home = Home::with_vault();
    let first = Serving::start(&home, &[]);
    let second = home.strongroom(&["serve", "--wait", "100", "--listen", "127.0.0.1:0"]).spawn();
    let second = second.unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    signal(&second, "INT");
    finish(second).expect(130);
    assert_eq!(first.stop("TERM").0, 0);
}

fn post(address: &str, operation: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: secretsmanager.{operation}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
