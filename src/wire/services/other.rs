//! The answer to requests for other AWS services, in the form that their clients read (rules WIRE-OTHER-1 to
//! 4).

use crate::wire::encoding::headers::{X_AMZ_TARGET, single};
use crate::wire::encoding::xml::escaped;
use crate::wire::http::route::is_form;
use crate::wire::observe::other_service;
use crate::wire::reply::{Exception, JSON, Reply, Text};
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use zeroize::Zeroizing;

/// Services that speak the query protocol, or XML with the same errors, by the names in their scopes.
const QUERY: [&str; 14] = [
    "autoscaling",
    "cloudformation",
    "cloudfront",
    "cloudsearch",
    "elasticache",
    "elasticbeanstalk",
    "elasticloadbalancing",
    "iam",
    "importexport",
    "rds",
    "redshift",
    "route53",
    "ses",
    "sns",
];
/// Services whose errors are in the form of EC2.
const EC2: [&str; 2] = ["ec2", "sdb"];
/// The version of EC2's API, which tells an unsigned form for it from others.
const EC2_VERSION: &str = "2016-11-15";
const CBOR: &str = "application/cbor";

/// In which form a client reads an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Cbor,
    Query,
    Ec2,
    S3,
}

/// Answers that the service `name` is not here. `version` is the API version that a form names.
pub(crate) fn answer(head: &Parts, name: &str, version: Option<&str>, request_id: &str) -> Reply {
    let status = StatusCode::NOT_IMPLEMENTED;
    let text = other_service(name);
    let (code, message) = ("<Code>NotImplemented</Code>", escaped(&text));
    let reply = match Form::of(head, name, version) {
        Form::Json => json(status, &text),
        Form::Cbor => Reply::of(status, CBOR, cbor(&text)),
        Form::S3 => {
            Reply::xml(status, &format!("<Error>{code}<Message>{message}</Message></Error>\n"))
        }
        Form::Query => Reply::xml(
            status,
            &format!(
                "<ErrorResponse>\n  <Error>\n    <Type>Sender</Type>\n    {code}\n    \
                 <Message>{message}</Message>\n  </Error>\n  \
                 <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
            ),
        ),
        Form::Ec2 => Reply::xml(
            status,
            &format!(
                "<Response><Errors><Error>{code}<Message>{message}</Message></Error></Errors>\
                 <RequestID>{request_id}</RequestID></Response>\n"
            ),
        ),
    };
    reply.with_error(EXCEPTION)
}

impl Form {
    fn of(head: &Parts, name: &str, version: Option<&str>) -> Self {
        let content_type = single(&head.headers, &CONTENT_TYPE).unwrap_or_default();
        if head.headers.contains_key("smithy-protocol") || content_type.starts_with(CBOR) {
            return Self::Cbor;
        }
        if name.starts_with("s3") {
            return Self::S3;
        }
        if head.headers.contains_key(&X_AMZ_TARGET) || content_type.contains("json") {
            return Self::Json;
        }
        if EC2.contains(&name) || version == Some(EC2_VERSION) {
            return Self::Ec2;
        }
        if QUERY.contains(&name) || version.is_some() || is_form(head) {
            return Self::Query;
        }
        Self::Json
    }
}

const EXCEPTION: &str = "NotImplementedException";

fn json(status: StatusCode, text: &str) -> Reply {
    let content =
        Exception { name: EXCEPTION, text: Some(Text { member: "message", text }) }.json();
    Reply::of(status, JSON, content)
}

/// The same two members in CBOR (RFC 8949).
fn cbor(text: &str) -> Zeroizing<Vec<u8>> {
    const MAP_OF_TWO: u8 = 0xa2;
    /// A text whose length stands in the two bytes that follow.
    const TEXT: u8 = 0x79;
    let mut bytes = Zeroizing::new(vec![MAP_OF_TWO]);
    for text in ["__type", EXCEPTION, "message", text] {
        bytes.push(TEXT);
        // All four are short.
        bytes.extend(u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use hyper::Request;

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");

    fn form(headers: &[(&str, &str)], name: &str, version: Option<&str>) -> Form {
        let request = headers.iter().fold(Request::post("/"), |r, (n, value)| r.header(*n, *value));
        Form::of(&request.body(()).unwrap().into_parts().0, name, version)
    }

    /// WIRE-OTHER-4
    #[test]
    fn each_protocol_gets_the_errors_that_it_reads() {
        for (headers, name, version, expected) in [
            (&[FORM][..], "iam", Some("2010-05-08"), Form::Query),
            (&[FORM], "ListUsers", Some("2010-05-08"), Form::Query),
            (&[], "ListTopics", Some("2010-03-31"), Form::Query),
            (&[FORM], "ec2", None, Form::Ec2),
            (&[FORM], "DescribeInstances", Some(EC2_VERSION), Form::Ec2),
            (&[], "s3", None, Form::S3),
            (&[], "s3express", None, Form::S3),
            (&[], "route53", None, Form::Query),
            (&[], "lambda", None, Form::Json),
            (&[("x-amz-target", "AmazonSQS.ListQueues")], "sqs", None, Form::Json),
            (&[FORM], "sqs", None, Form::Query),
            (&[("smithy-protocol", "rpc-v2-cbor")], "monitoring", None, Form::Cbor),
            (&[("content-type", "application/x-amz-json-1.0")], "ec2", None, Form::Json),
        ] {
            assert_eq!(form(headers, name, version), expected, "{name} {headers:?}");
        }
    }

    /// WIRE-OTHER-4
    #[test]
    fn cbor_is_a_map_of_two_texts() {
        let bytes = cbor("abc");
        let expected = [
            b"\xa2\x79\x00\x06__type\x79\x00\x17NotImplementedException".as_slice(),
            b"\x79\x00\x07message\x79\x00\x03abc",
        ];
        assert_eq!(*bytes, expected.concat());
    }
}
