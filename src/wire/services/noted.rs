//! What the log learns about a request from its route, its signature and its names (rules SPEAK-1, 2 and 4).

use crate::model::name::is_access_key_id;
use crate::wire::http::route::Route;
use crate::wire::json::Node;
use crate::wire::observe::{Cause, Notes};
use crate::wire::sigv4::{self, AuthError, Why};
use hyper::http::request::Parts;

/// Names of secrets that a line may have.
const NAMES_MAX: usize = 20;

/// Notes what a request asks for.
pub(super) fn route(notes: &Notes, route: &Route<'_>) {
    match route {
        Route::Alive => notes.probe("healthz"),
        Route::Ready => notes.probe("readyz"),
        Route::Metrics => notes.probe("metrics"),
        Route::LocalStack(_) => notes.probe("localstack"),
        Route::Sts => notes.operation("sts"),
        Route::Other(service) => {
            notes.operation("other");
            notes.refused(Cause::OtherService, service.as_ref());
        }
        Route::SecretsManager => (),
    }
}

/// Notes why a signature is refused. Of the header only what has the form of a key id is repeated: some
/// people exchange the two halves of a pair, and then the secret key is where the key id should be.
pub(super) fn refusal(head: &Parts, error: &AuthError) {
    let detail = match error.why {
        Why::Malformed => error.reason,
        // Made of times only.
        Why::Clock => &error.message,
        _ => sigv4::key_id_of(&head.headers).filter(|id| is_access_key_id(id)).unwrap_or_default(),
    };
    Notes::of(head).refused(Cause::Signature(error.why), detail);
}

/// The secrets that a body names. Only for a log that may name them.
pub(super) fn names(body: &Node) -> Vec<String> {
    let Node::Object(members) = body else { return Vec::new() };
    let mut found = Vec::new();
    for (member, node) in members {
        match (member.as_str(), node) {
            ("SecretId" | "Name", Node::String(name)) => found.push(name.as_str().to_owned()),
            ("SecretIdList", Node::List(list)) => found.extend(list.iter().filter_map(|node| {
                if let Node::String(name) = node { Some(name.as_str().to_owned()) } else { None }
            })),
            _ => (),
        }
    }
    found.truncate(NAMES_MAX);
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::json::parse;
    use hyper::Request;

    /// SPEAK-2
    #[test]
    fn only_a_key_id_of_a_header_is_repeated() {
        let detail = |key_id: &str, why: Why| {
            let scope = "20260102/us-east-1/secretsmanager/aws4_request";
            let header = format!("AWS4-HMAC-SHA256 Credential={key_id}/{scope}");
            let request = Request::post("/").header("authorization", header);
            let mut head = request.body(()).unwrap().into_parts().0;
            let notes = Notes::default();
            head.extensions.insert(notes.clone());
            let error = AuthError { why, reason: "a constant", ..AuthError::mismatch() };
            refusal(&head, &error);
            notes.why().unwrap().1
        };
        for why in [Why::UnknownKey, Why::Mismatch, Why::SessionToken] {
            assert_eq!(detail("AKIAIOSFODNN7EXAMPLE", why), "AKIAIOSFODNN7EXAMPLE");
            assert_eq!(detail("wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxx", why), "");
            assert_eq!(detail("AKIAhunter2", why), "");
        }
        assert_eq!(detail("AKIAIOSFODNN7EXAMPLE", Why::Malformed), "a constant");
    }

    /// SPEAK-2
    #[test]
    fn names_are_taken_from_the_members_that_have_them() {
        let told = |body: &str| names(&parse(body.as_bytes()).ok().unwrap());
        assert_eq!(told(r#"{"SecretId":"a","SecretString":"v","Tags":[]}"#), ["a"]);
        assert_eq!(told(r#"{"SecretIdList":["a",1,"b"],"Description":"d"}"#), ["a", "b"]);
        assert!(told("[1]").is_empty());
    }
}
