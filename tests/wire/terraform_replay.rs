//! Terraform where Terraform is not installed: the requests of provider aws 5.100.0, as it sent them
//! (`tests/data/terraform-5.100.0.jsonl`: create, plan, change of value, stages, tags and policy,
//! replicas, rotation, data sources, destroy), signed over its set of headers, and for each whether
//! it succeeds or which exception it gets.

use crate::common::http::Client;
use crate::common::server::Home;
use crate::common::sigv4;
use serde_json::Value;
use std::collections::BTreeMap;

/// A request as the Go SDK sends it.
fn request(client: &Client, operation: &str, body: &str) -> Vec<u8> {
    let target = format!("secretsmanager.{operation}");
    let (date, len) = (sigv4::amz_date(sigv4::now_seconds()), body.len().to_string());
    let headers = [
        ("amz-sdk-invocation-id", "2b7f0e5c-6f0e-4d3e-9a51-7d5f1c2a9b10"),
        ("amz-sdk-request", "attempt=1; max=25"),
        ("content-length", len.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
        ("host", client.host.as_str()),
        ("x-amz-date", date.as_str()),
        ("x-amz-target", target.as_str()),
    ];
    let authorization = sigv4::authorization(&client.keys, &headers, body.as_bytes());
    let mut request = String::from("POST / HTTP/1.1\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!(
        "accept-encoding: gzip\r\nuser-agent: APN/1.0 HashiCorp/1.0 Terraform/1.11.4\r\n\
         authorization: {authorization}\r\n\r\n{body}"
    ));
    request.into_bytes()
}

/// The name in a complete ARN of the recording.
fn name_of(arn: &str) -> Option<&str> {
    let (_, resource) = arn.split_once(":secret:")?;
    Some(resource.split_at(resource.len().checked_sub(7)?).0)
}

#[test]
fn what_terraform_sent_is_answered() {
    let home = Home::new();
    let server = home.serve();
    let mut client = server.client();
    // Of each secret the ARN that it has here.
    let mut arns: BTreeMap<String, String> = BTreeMap::new();
    let (mut succeeded, mut wrong) = (0, Vec::new());
    let recording = include_str!("../data/terraform-5.100.0.jsonl");
    for (number, line) in recording.lines().enumerate() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (operation, mut body) = (line["operation"].as_str().unwrap(), line["body"].clone());
        if let Some(arn) = body["SecretId"].as_str().and_then(name_of).and_then(|n| arns.get(n)) {
            body["SecretId"] = Value::from(arn.as_str());
        }
        let bytes = request(&client, operation, &body.to_string());
        let response = client.raw(&bytes).unwrap();
        let answer = response.json();
        if operation == "CreateSecret" && response.status == 200 {
            let text = |member: &str| answer[member].as_str().unwrap().to_owned();
            arns.insert(text("Name"), text("ARN"));
        }
        let got = if response.status == 200 { "200".to_owned() } else { response.error() };
        succeeded += usize::from(response.status == 200);
        if std::env::var_os("STRONGROOM_SHOW").is_some() {
            println!("{got}");
        }
        if line["answer"] != got.as_str() {
            wrong.push(format!("{}: {operation} {body}: {answer}", number + 1));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{succeeded} of {} requests succeed", recording.lines().count());
}
