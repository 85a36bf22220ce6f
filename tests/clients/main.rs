//! Unchanged AWS clients against the real server: the AWS CLI, boto3, Terraform, the SDKs for
//! JavaScript and Rust. What is not installed here is skipped, with the reason printed.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

use common::server::{Home, Server};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Whether a command runs here at all.
fn runs(command: &[&str]) -> bool {
    Command::new(command[0])
        .args(&command[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a script with the server's printed lines in its environment.
fn script(server: &Server, program: &str, file: &str, extra: &[(&str, &str)]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(file);
    let mut command = Command::new(program);
    command.arg(path).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command.envs(&server.exports.0).envs(extra.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    print!("{said}");
    assert!(output.status.success(), "{file}:\n{said}\n{complained}");
}

#[test]
fn the_aws_cli_works_unchanged() {
    if !runs(&["aws", "--version"]) || !runs(&["python3", "--version"]) {
        println!("SKIP there is no AWS CLI here");
        return;
    }
    let home = Home::new();
    let server = home.serve();
    script(&server, "bash", "aws_cli.sh", &[]);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn boto3_works_unchanged() {
    if !runs(&["python3", "-c", "import boto3"]) {
        println!("SKIP there is no boto3 here");
        return;
    }
    let home = Home::new();
    let server = home.serve();
    script(&server, "python3", "boto3_check.py", &[]);
}

/// What `docs/CLIENTS.md` lists for Python beside boto3.
const PYTHON: [&str; 4] = [
    "aws-secretsmanager-caching==1.2.0",
    "aws-lambda-powertools==3.37.0",
    "pydantic-settings[aws-secrets-manager]==2.16.3",
    "boto3",
];

#[test]
fn programs_for_python_work_unchanged() {
    if !runs(&["python3", "-m", "pip", "--version"]) {
        println!("SKIP there is no pip here");
        return;
    }
    let packages = tempfile::tempdir().unwrap();
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=0"]);
    pip.arg("--target").arg(packages.path()).args(PYTHON);
    if !pip.output().is_ok_and(|output| output.status.success()) {
        println!("SKIP the programs for Python cannot be installed here");
        return;
    }
    let home = Home::new();
    let server = home.serve();
    let packages = packages.path().to_str().unwrap();
    script(&server, "python3", "python_programs.py", &[("PACKAGES", packages)]);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_javascript_sdk_works_unchanged() {
    if !runs(&["node", "--version"]) || !runs(&["npm", "--version"]) {
        println!("SKIP there is no Node.js here");
        return;
    }
    // Node finds packages beside the script.
    let dir = tempfile::tempdir().unwrap();
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients/js");
    for file in ["package.json", "check.mjs", "many.mjs"] {
        std::fs::copy(from.join(file), dir.path().join(file)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--fetch-retries=0"]).current_dir(dir.path());
    if !npm.output().is_ok_and(|output| output.status.success()) {
        println!("SKIP the AWS SDK for JavaScript cannot be installed here");
        return;
    }
    let home = Home::new();
    let server = home.serve();
    script(&server, "node", dir.path().join("check.mjs").to_str().unwrap(), &[]);
    // T46: three programs at once.
    let body = serde_json::json!({"Name": "js/many", "SecretString": "v",
        "ClientRequestToken": "11111111-1111-1111-1111-111111111111"});
    server.client().ok("CreateSecret", &body);
    let many = dir.path().join("many.mjs");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| script(&server, "node", many.to_str().unwrap(), &[]));
        }
    });
}

#[test]
#[ignore = "builds 200 crates: \
            `cargo test --test clients the_rust_sdk_works_unchanged -- --ignored`"]
fn the_rust_sdk_works_unchanged() {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients/rust");
    let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/rust-check");
    let home = Home::new();
    let server = home.serve();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--locked", "--target-dir"]).arg(target).arg("--manifest-path");
    let status = cargo.arg(package.join("Cargo.toml")).envs(&server.exports.0).status();
    assert!(status.unwrap().success(), "the SDK for Rust met something else");
}

/// The program that runs the vectors leaves no secret behind, also when it is interrupted.
#[test]
#[ignore = "builds 90 crates: \
            `cargo test --test clients the_conformance_tool_leaves_nothing_behind -- --ignored`"]
fn the_conformance_tool_leaves_nothing_behind() {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/tool");
    let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/conformance");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--target-dir"]).arg(&target);
    assert!(
        cargo.arg("--manifest-path").arg(package.join("Cargo.toml")).status().unwrap().success()
    );
    let home = Home::new();
    let server = home.serve();
    let endpoint = server.exports.0["AWS_ENDPOINT_URL_SECRETS_MANAGER"].clone();
    let run = || {
        let mut run = Command::new(target.join("debug/conformance"));
        run.args(["run", "--endpoint", &endpoint]).envs(&server.exports.0).stdout(Stdio::piped());
        run.spawn().unwrap()
    };
    let left = |run: std::process::Child| {
        let report = String::from_utf8(run.wait_with_output().unwrap().stdout).unwrap();
        assert!(report.contains(" vectors are the same, ") && !report.contains("LEFT BEHIND"));
        let all = serde_json::json!({"IncludePlannedDeletion": true});
        let list = server.client().ok("ListSecrets", &all);
        assert_eq!(list["SecretList"], serde_json::json!([]));
        report
    };
    assert!(left(run()).contains(" 0 not run, "));
    let interrupted = run();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let number = interrupted.id().to_string();
    assert!(Command::new("kill").args(["-INT", &number]).status().unwrap().success());
    assert!(!left(interrupted).contains(" 0 not run, "));
}

/// A file system mirror that holds the AWS provider.
fn mirror() -> Option<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let asked = std::env::var_os("STRONGROOM_TF_PLUGIN_DIR").map(PathBuf::from);
    // Where Terraform itself looks for a mirror that no configuration names.
    let usual = [
        format!("{home}/.terraform.d/plugins"),
        "/usr/local/share/terraform/plugins".into(),
        "/usr/share/terraform/plugins".into(),
    ];
    let provider = "registry.terraform.io/hashicorp/aws/5.100.0";
    asked.into_iter().chain(usual.map(PathBuf::from)).find(|dir| dir.join(provider).is_dir())
}

#[test]
fn terraform_works_unchanged() {
    terraform("terraform.sh", &[], &[]);
}

#[test]
fn terraform_attaches_policies() {
    terraform("terraform_policy.sh", &[], &[]);
}

#[test]
fn terraform_configures_rotation_unchanged() {
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:random";
    let function = format!("{arn}=random");
    terraform("terraform_rotation.sh", &["--rotation", &function], &[("ROTATION_ARN", arn)]);
}

#[test]
fn terraform_reads_data_and_waits_for_a_scheduled_name() {
    terraform("terraform_data.sh", &[], &[]);
}

/// Runs a script against a server that was started with these arguments.
fn terraform(file: &str, args: &[&str], extra: &[(&str, &str)]) {
    if !runs(&["terraform", "version"]) {
        println!("SKIP {file}: there is no terraform here");
        return;
    }
    let Some(mirror) = mirror() else {
        println!(
            "SKIP {file}: there is no aws provider 5.100.0 here (STRONGROOM_TF_PLUGIN_DIR names a \
             mirror)"
        );
        return;
    };
    let home = Home::new();
    let server = home.serve_with(std::path::Path::new(common::server::BIN), args);
    let mut variables = vec![("STRONGROOM_TF_PLUGIN_DIR", mirror.to_str().unwrap())];
    variables.extend(extra);
    script(&server, "bash", file, &variables);
}
