//! The read protocol of AWS's local agent, byte for byte over real sockets, and the options of the
//! command that serve it.

use crate::client::{AGENT_TOKEN, Request, Response, Running};
use crate::common::server::{BIN, Home};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::{CreateSecret, PutSecretValue};
use strongroom::__internals::secret::{SecretBytes, SecretValue};
use strongroom::__internals::vault::Vault;
use strongroom::__internals::wire::{AgentOptions, Server, ServerOptions};

const TOKEN: &str = "x-aws-parameters-secrets-token";

/// A server whose vault holds `app/db` in two versions and `raw`, binary.
fn start() -> Running {
    let server = Running::with_agent();
    let scope = Scope::new("123456789012", "us-east-1");
    let mut create = CreateSecret::new("app/db");
    create.value = Some(SecretValue::text("one"));
    server.vault.in_scope(&scope).create_secret(create).unwrap();
    let put = PutSecretValue::new("app/db", SecretValue::text("two \"\u{e9}\""));
    server.vault.in_scope(&scope).put_secret_value(put).unwrap();
    let mut create = CreateSecret::new("raw");
    create.value = Some(SecretValue::binary([0, 255]));
    server.vault.in_scope(&scope).create_secret(create).unwrap();
    // The same name in another account is out of its reach.
    let mut create = CreateSecret::new("other");
    create.value = Some(SecretValue::text("not for this account"));
    server.vault.create_secret(create).unwrap();
    server
}

fn asking(server: &Running, uri: &str) -> Request {
    let wire = server.connect_agent();
    Request::new(&wire.host, "", b"")
        .without("content-type")
        .without("x-amz-target")
        .without("content-length")
        .line(&format!("GET {uri} HTTP/1.1"))
}

fn exchange(server: &Running, request: &Request) -> Response {
    server.connect_agent().exchange(&request.bytes())
}

fn get(server: &Running, uri: &str) -> Response {
    exchange(server, &asking(server, uri).with(TOKEN, AGENT_TOKEN))
}

/// WIRE-AGENT-3, WIRE-AGENT-4: both forms, by name, ARN, label and version.
#[test]
fn a_value_is_read_in_both_forms() {
    let server = start();
    let current = get(&server, "/secretsmanager/get?secretId=app%2Fdb").ok();
    assert_eq!(current["SecretString"], "two \"\u{e9}\"");
    assert_eq!(current["Name"], "app/db");
    assert_eq!(current["VersionStages"], json!(["AWSCURRENT"]));
    let arn = current["ARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-"));
    // The agent's date is a decimal number in a string.
    let date = current["CreatedDate"].as_str().unwrap();
    assert!(date.parse::<f64>().unwrap() > 1.6e9 && !date.ends_with(".0"), "{date}");
    let previous = get(&server, "/v1/app/db?versionStage=AWSPREVIOUS").ok();
    assert_eq!(previous["SecretString"], "one");
    let id = previous["VersionId"].as_str().unwrap();
    for uri in [
        format!("/v1/app/db?versionId={id}&refreshNow=true"),
        format!("/v1/app%2Fdb?versionId={id}&versionStage=AWSPREVIOUS&refreshNow=0"),
        format!("/v1/{arn}?versionId={id}"),
        format!("/secretsmanager/get?secretId={arn}&versionId={id}"),
    ] {
        assert_eq!(get(&server, &uri).ok(), previous, "{uri}");
    }
    let raw = get(&server, "/v1/raw");
    assert_eq!(raw.header("content-type"), Some("application/json"));
    let order: Vec<usize> = [
        "\"ARN\"",
        "\"Name\"",
        "\"VersionId\"",
        "\"SecretBinary\":\"AP8=\"",
        "\"VersionStages\"",
        "\"CreatedDate\"",
    ]
    .iter()
    .map(|member| raw.text().find(member).expect(member))
    .collect();
    assert!(order.is_sorted(), "{}", raw.text());
    assert!(raw.json().get("SecretString").is_none());
}

/// WIRE-AGENT-2: each way not to show the token, in the order of the agent's checks.
#[test]
fn without_the_token_nothing_is_read() {
    let server = start();
    let good = asking(&server, "/v1/app/db");
    exchange(&server, &good).is(403, "Bad Token");
    for header in [TOKEN, "X-Vault-Token", "X-AWS-Parameters-Secrets-Token"] {
        for token in
            ["", "a", &AGENT_TOKEN[1..], &format!("{AGENT_TOKEN}x"), &AGENT_TOKEN.to_uppercase()]
        {
            let response = exchange(&server, &good.clone().with(header, token));
            response.is(403, "Bad Token");
        }
        exchange(&server, &good.clone().with(header, AGENT_TOKEN)).ok();
    }
    // One good header is enough, as with the agent.
    let both = good.clone().with("x-vault-token", "wrong").with(TOKEN, AGENT_TOKEN);
    exchange(&server, &both).ok();
    for header in ["x-forwarded-for", "forwarded", "via"] {
        let forwarded = good.clone().with(TOKEN, AGENT_TOKEN).with(header, "10.0.0.1");
        exchange(&server, &forwarded).is(400, "Forwarded");
        exchange(&server, &good.clone().with(header, "10.0.0.1")).is(400, "Forwarded");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let line = format!("{method} /v1/app/db HTTP/1.1");
        let other = good.clone().line(&line).with("content-length", "0");
        exchange(&server, &other).is(403, "Bad Token");
        exchange(&server, &other.with(TOKEN, AGENT_TOKEN)).is(405, "Not allowed");
    }
}

/// WIRE-AGENT-2, HOST-5: what AWS's agent does not ask. A page that rebinds its name to loopback has no
/// token, and with one it would not get through either.
#[test]
fn pages_and_other_hosts_are_refused_before_the_token_is_looked_at() {
    let server = start();
    let good = asking(&server, "/v1/app/db").with(TOKEN, AGENT_TOKEN);
    assert_eq!(exchange(&server, &good.clone().set("host", "rebound.example.com")).status, 421);
    for (name, value) in [("origin", "http://example.com"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(exchange(&server, &good.clone().with(name, value)).status, 403, "{name}");
    }
    let ping = asking(&server, "/ping");
    exchange(&server, &ping).is(200, "healthy");
    assert_eq!(exchange(&server, &ping.set("host", "rebound.example.com")).status, 421);
}

/// WIRE-AGENT-5: refusals of the vault are JSON with `message`, those of the agent plain words.
#[test]
fn errors_are_the_ones_of_the_agent() {
    let server = start();
    let missing = "{\"__type\":\"ResourceNotFoundException\",\"message\":\"Secrets Manager can't \
                   find the specified secret.\"}";
    get(&server, "/v1/nobody").is(400, missing);
    get(&server, "/v1/other").is(400, missing);
    let label = "{\"__type\":\"ResourceNotFoundException\",\"message\":\"Secrets Manager can't find \
                 the specified secret value for staging label: x\"}";
    get(&server, "/secretsmanager/get?secretId=raw&versionStage=x").is(400, label);
    assert!(get(&server, "/v1/a%20b").text().starts_with("{\"__type\":\"ValidationException\""));
    get(&server, "/").is(404, "Not found");
    get(&server, "/healthz").is(404, "Not found");
    get(&server, "/secretsmanager/get").is(400, "missing parameter secretId");
    get(&server, "/v1/").is(400, "missing secret ID");
    get(&server, "/v1/raw?x=1").is(400, "unknown parameter: x");
    get(&server, "/v1/raw?refreshNow=yes").is(400, "invalid refreshNow value");
}

/// WIRE-AGENT-1: the ports do not speak each other's protocol.
#[test]
fn each_port_speaks_its_own_protocol() {
    let server = start();
    let mut wire = server.connect_agent();
    let list = Request::new(&wire.host, "ListSecrets", b"{}").well_signed();
    wire.exchange(&list.with(TOKEN, AGENT_TOKEN).bytes()).is(405, "Not allowed");
    let mut wire = server.connect();
    let read = asking(&server, "/v1/app/db").set("host", &wire.host).with(TOKEN, AGENT_TOKEN);
    assert_eq!(wire.exchange(&read.bytes()).status, 404);
}

/// WIRE-AGENT-1, WIRE-AGENT-6: loopback only, and no token that can be guessed or not be sent.
#[test]
fn a_port_that_others_reach_and_a_weak_token_are_refused() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let bound = |agent: AgentOptions| {
        let options = ServerOptions { listen, stop_on_signals: false, ..Default::default() };
        let env = strongroom::__internals::env::Env::real();
        let server = Server::bind(Vault::in_memory().unwrap(), Vec::new(), options, env).unwrap();
        server.with_agent(agent).map(|server| server.agent_addr().unwrap())
    };
    let agent = |listen: &str, token: &str, account: &str| AgentOptions {
        listen: listen.parse().unwrap(),
        token: SecretBytes::copy_from(token.as_bytes()),
        account: account.into(),
    };
    let account = Scope::DEFAULT_ACCOUNT;
    assert!(bound(agent("127.0.0.1:0", "0123456789abcdef", account)).is_ok());
    for options in [
        agent("0.0.0.0:0", "0123456789abcdef", account),
        agent("[::]:0", "0123456789abcdef", account),
        agent("127.0.0.1:0", "0123456789abcde", account),
        agent("127.0.0.1:0", "", account),
        agent("127.0.0.1:0", "0123456789 abcdef", account),
        agent("127.0.0.1:0", "0123456789abcdef\n", account),
        agent("127.0.0.1:0", "0123456789abcdef", "1"),
    ] {
        assert!(bound(options).is_err());
    }
}

/// Asks a served agent with a header file, as a script would.
fn curl(address: &str, token: &str, uri: &str) -> Response {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!(
        "GET {uri} HTTP/1.1\r\nhost: {address}\r\n{TOKEN}: {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    crate::client::Wire { stream, host: address.to_owned() }.read().unwrap()
}

/// Where the agent's port and its token are, from the line that the server prints.
fn printed(said: &[String]) -> (String, String) {
    let line =
        said.iter().find_map(|line| line.strip_prefix("strongroom: agent protocol on http://"));
    let (address, place) = line.unwrap().split_once(", token in ").unwrap();
    (address.to_owned(), place.to_owned())
}

/// WIRE-AGENT-6: `serve --agent-listen` makes a token once and keeps it private; a value that a
/// signed client stored is read with it.
#[test]
fn the_command_serves_it_with_a_token_of_its_own() {
    let home = Home::new();
    let mut tokens = Vec::new();
    for start in 0..2 {
        let server = home.serve_with(Path::new(BIN), &["--agent-listen", "127.0.0.1:0"]);
        let (address, place) = printed(&server.said);
        assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o600);
        let token = std::fs::read_to_string(&place).unwrap();
        assert!(place.ends_with("agent.token") && token.len() == 65, "{place}");
        let body = json!({"Name": "app/db", "SecretString": "v",
            "ClientRequestToken": "11111111-1111-1111-1111-111111111111"});
        if start == 0 {
            server.client().ok("CreateSecret", &body);
        }
        let value = curl(&address, token.trim(), "/v1/app/db").ok();
        assert_eq!(value["SecretString"], "v");
        assert_eq!(curl(&address, "wrong", "/v1/app/db").status, 403);
        tokens.push(token);
        assert_eq!(server.stop(), Some(0));
    }
    assert_eq!(tokens[0], tokens[1]);
}

/// WIRE-AGENT-6: off unless asked for; a file that others can reach is refused.
#[test]
fn the_command_takes_a_token_file_that_is_private() {
    let home = Home::new();
    let server = home.serve();
    assert!(!server.said.iter().any(|line| line.contains("agent")), "{:?}", server.said);
    drop(server);
    let file = home.path().join("token");
    std::fs::write(&file, "a token with spaces is none\n").unwrap();
    let serve = |listen: &str, mode: u32| -> Command {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let file = file.to_str().unwrap();
        home.command(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--agent-listen",
            listen,
            "--agent-token-file",
            file,
        ])
    };
    let code = |mut command: Command| command.output().unwrap().status.code();
    assert_eq!(code(serve("127.0.0.1:0", 0o600)), Some(2));
    std::fs::write(&file, "a-token-of-forty-characters-or-so\n").unwrap();
    assert_eq!(code(serve("127.0.0.1:0", 0o644)), Some(4));
    assert_eq!(code(serve("0.0.0.0:2773", 0o600)), Some(2));
    let listen = ["--listen", "127.0.0.1:0", "--agent-listen", "127.0.0.1:0"];
    let ephemeral = [&["serve", "--ephemeral"], &listen[..]].concat();
    assert_eq!(code(home.command(&ephemeral)), Some(2));
    let orphan = ["serve", "--agent-token-file", file.to_str().unwrap()];
    assert_eq!(code(home.command(&orphan)), Some(2));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let args = [
        "--ephemeral",
        "--agent-listen",
        "127.0.0.1:0",
        "--agent-token-file",
        file.to_str().unwrap(),
    ];
    let server = home.serve_with(Path::new(BIN), &args);
    let (address, place) = printed(&server.said);
    assert_eq!(place, file.to_str().unwrap());
    assert_eq!(curl(&address, "a-token-of-forty-characters-or-so", "/v1/nobody").status, 400);
}
