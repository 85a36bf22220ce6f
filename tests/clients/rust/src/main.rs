//! The AWS SDK for Rust against a running server, whose exported lines are in the environment.

use aws_sdk_secretsmanager::config::{Credentials, Region};
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::operation::RequestId;
use aws_sdk_secretsmanager::primitives::Blob;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};
use aws_sdk_secretsmanager::{Client, Config};
use aws_smithy_http_client::Builder;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: eval \"$(strongroom env)\""))
}

fn client() -> Client {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
        None,
        None,
        "environment",
    );
    let config = Config::builder()
        .region(Region::new(variable("AWS_REGION")))
        .credentials_provider(credentials)
        .endpoint_url(variable("AWS_ENDPOINT_URL_SECRETS_MANAGER"))
        .http_client(Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// The exception, its text, and that the request has an id.
fn refusal<E>(error: &E) -> (String, String)
where
    E: ProvideErrorMetadata + RequestId,
{
    assert_eq!(error.request_id().map(str::len), Some(36), "the request id is a UUID");
    let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
    (text(error.code()), text(error.message()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sm = client();
    let name = "rust/app";

    let tag = Tag::builder().key("k").value("v").build();
    let created =
        sm.create_secret().name(name).secret_string("one").tags(tag).send().await.unwrap();
    let arn = created.arn().unwrap();
    let first = created.version_id().unwrap();
    let taken = sm.create_secret().name(name).secret_string("two").send().await.unwrap_err();
    assert_eq!(
        refusal(&taken),
        (
            "ResourceExistsException".to_owned(),
            "The operation failed because the secret rust/app already exists.".to_owned()
        )
    );
    assert!(taken.into_service_error().is_resource_exists_exception());

    let text = "\0 \u{e9} \u{1f511} \"\\/";
    let put = sm.put_secret_value().secret_id(arn).secret_string(text).send().await.unwrap();
    assert_eq!(put.version_stages(), ["AWSCURRENT"]);
    let got = sm.get_secret_value().secret_id(name).send().await.unwrap();
    assert_eq!(got.secret_string(), Some(text));
    assert!(got.created_date().unwrap().to_millis().unwrap() > 1_700_000_000_000);

    let bytes: Vec<u8> = (0..65_536_u32).map(|byte| (byte % 256) as u8).collect();
    let blob = Blob::new(bytes.clone());
    sm.update_secret().secret_id(name).secret_binary(blob).description("d").send().await.unwrap();
    let got = sm.get_secret_value().secret_id(name).send().await.unwrap();
    assert_eq!(got.secret_binary().unwrap().as_ref(), bytes);
    assert_eq!(got.secret_string(), None);

    let previous =
        sm.get_secret_value().secret_id(name).version_stage("AWSPREVIOUS").send().await.unwrap();
    assert_eq!(previous.version_id(), put.version_id());
    sm.update_secret_version_stage()
        .secret_id(name)
        .version_stage("AWSCURRENT")
        .remove_from_version_id(got.version_id().unwrap())
        .move_to_version_id(first)
        .send()
        .await
        .unwrap();
    let versions =
        sm.list_secret_version_ids().secret_id(name).include_deprecated(true).send().await.unwrap();
    assert_eq!(versions.versions().len(), 3);

    let described = sm.describe_secret().secret_id(name).send().await.unwrap();
    assert_eq!(described.description(), Some("d"));
    assert_eq!(described.tags().len(), 1);
    assert_eq!(described.deleted_date(), None);

    for number in 1..=3 {
        let name = format!("rust/many/{number}");
        sm.create_secret().name(name).secret_string("v").send().await.unwrap();
    }
    let filter = Filter::builder().key(FilterNameStringType::Name).values("rust/many/").build();
    let mut pages = sm.list_secrets().filters(filter).into_paginator().page_size(1).send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        names.extend(page.secret_list().iter().map(|secret| secret.name().unwrap().to_owned()));
    }
    assert_eq!(names, ["rust/many/1", "rust/many/2", "rust/many/3"]);

    sm.delete_secret().secret_id(name).recovery_window_in_days(7).send().await.unwrap();
    let marked = sm.get_secret_value().secret_id(name).send().await.unwrap_err();
    assert_eq!(refusal(&marked).0, "InvalidRequestException");
    sm.restore_secret().secret_id(name).send().await.unwrap();
    sm.delete_secret().secret_id(name).force_delete_without_recovery(true).send().await.unwrap();
    let gone = sm.get_secret_value().secret_id(name).send().await.unwrap_err();
    assert_eq!(refusal(&gone).1, "Secrets Manager can't find the specified secret.");
    assert!(gone.into_service_error().is_resource_not_found_exception());
    println!("the AWS SDK for Rust: all as expected");
}
