//! Why requests are refused, and what helps: for the person who reads the log, because the client's message
//! is AWS's and names no cure (rules SPEAK-4, SPEAK-5). Each cause is told at most once in ten seconds.

use super::plain::{plain, word};
use crate::model::name::is_host;
use crate::wire::sigv4::Why;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The shortest time between two lines about one cause.
const INTERVAL: Duration = Duration::from_secs(10);

/// Why a request is refused, by what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// It is not HTTP.
    NotHttp,
    /// Its signature is refused.
    Signature(Why),
    /// It came to the agent's port without the token.
    AgentToken,
    /// It is for another host.
    Host,
    /// A web page or a proxy sent it.
    Strayed,
    /// It is for another service.
    OtherService,
    /// There are too many connections.
    Full,
    /// The vault failed.
    Failed,
}

impl Cause {
    /// Its name in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NotHttp => "not_http",
            Self::Signature(Why::Unsigned) => "unsigned",
            Self::Signature(Why::Malformed) => "malformed_signature",
            Self::Signature(Why::Clock) => "clock",
            Self::Signature(Why::UnknownKey) => "unknown_key",
            Self::Signature(Why::SessionToken) => "session_token",
            Self::Signature(Why::Mismatch) => "signature_mismatch",
            Self::AgentToken => "agent_token",
            Self::Host => "host",
            Self::Strayed => "strayed",
            Self::OtherService => "other_service",
            Self::Full => "full",
            Self::Failed => "failed",
        }
    }

    /// What happened and what helps. `detail` may come from a stranger.
    pub(super) fn said(self, detail: &str) -> String {
        const ENV: &str = "run `eval \"$(strongroom env)\"` in the client's shell";
        let key = || word(detail, "(not a key id)");
        match self {
            Self::NotHttp => format!(
                "a request that cannot be read as HTTP ({}): addresses of this server begin with http://, not \
                 https://",
                plain(detail)
            ),
            Self::Signature(Why::Unsigned) => {
                format!("a request without a signature: {ENV}, or serve with --auth none")
            }
            Self::Signature(Why::Malformed) => {
                let detail = plain(detail);
                format!("a signature that is not accepted: {detail} Use an AWS client as it is")
            }
            Self::Signature(Why::Clock) => {
                let detail = plain(detail);
                format!("{detail}: set the client's clock or the one of this machine")
            }
            Self::Signature(Why::UnknownKey) => {
                format!("unknown access key {}: {ENV}, or serve with --auth none", key())
            }
            Self::Signature(Why::SessionToken) => format!(
                "access key {} came with a session token, which no pair of this server has: run \
                 `unset AWS_SESSION_TOKEN AWS_PROFILE` and {ENV}",
                key()
            ),
            Self::Signature(Why::Mismatch) => format!(
                "the signature by access key {} does not match: the client has another secret key, \
                 or something on the way changed the request; {ENV}",
                key()
            ),
            Self::AgentToken => {
                "a request to the agent's port without its token: clients read it from the file that \
                 is named when the server starts"
                    .to_owned()
            }
            Self::Host => format!(
                "the host {} is no name of this server: if it should be one, serve with \
                 --allow-host {}",
                plain(detail),
                if is_host(detail) { detail } else { "NAME[:PORT]" }
            ),
            Self::Strayed => {
                format!("a web page or a proxy sent a request: {}", plain(detail))
            }
            Self::OtherService => other_service(detail),
            Self::Full => {
                format!("{}: close idle clients, or raise the limit of open files", plain(detail))
            }
            Self::Failed => format!("the vault failed: {}", plain(detail)),
        }
    }
}

/// Says that a service is not here, and which setting of the client to change: for its client and for the
/// log. A name is repeated only if it is plain.
pub(crate) fn other_service(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let name = if (1..=64).contains(&name.len()) && name.bytes().all(is_plain) {
        format!(", not {name}")
    } else {
        String::new()
    };
    format!(
        "This endpoint serves AWS Secrets Manager and STS{name}. Point clients at it with \
         AWS_ENDPOINT_URL_SECRETS_MANAGER instead of AWS_ENDPOINT_URL."
    )
}

#[derive(Default)]
struct Held {
    told: Option<Duration>,
    held_back: u64,
}

/// Tells each cause now and then.
#[derive(Default)]
pub(super) struct Reasons(Mutex<BTreeMap<Cause, Held>>);

impl Reasons {
    /// Whether a cause is told at `now`, and how many were held back since the last time.
    pub(super) fn admit(&self, cause: Cause, now: Duration) -> Option<u64> {
        let mut causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = causes.entry(cause).or_default();
        if held.told.is_some_and(|told| now.saturating_sub(told) < INTERVAL) {
            held.held_back += 1;
            return None;
        }
        held.told = Some(now);
        Some(std::mem::take(&mut held.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPEAK-5
    #[test]
    fn a_flood_of_refusals_is_a_line_in_ten_seconds() {
        let reasons = Reasons::default();
        let told: Vec<u64> = (0..30_000)
            .filter_map(|at| {
                reasons.admit(Cause::Signature(Why::Unsigned), Duration::from_millis(at))
            })
            .collect();
        assert_eq!(told, [0, 9_999, 9_999]);
        let now = Duration::from_millis(29_999);
        assert_eq!(
            reasons.admit(Cause::Signature(Why::Mismatch), now),
            Some(0),
            "another cause has its own time"
        );
    }

    /// SPEAK-4
    #[test]
    fn a_reason_names_its_cure() {
        let said = Cause::Signature(Why::UnknownKey).said("AKIAX");
        assert!(said.contains("AKIAX") && said.contains("strongroom env"), "{said}");
        assert!(said.contains("--auth none"), "{said}");
        assert!(Cause::Host.said("db:4566").ends_with("--allow-host db:4566"));
        for odd in ["a\n$(x)", "", "db:99999", "[1", "a:b"] {
            assert!(Cause::Host.said(odd).ends_with("--allow-host NAME[:PORT]"), "{odd}");
        }
        assert!(Cause::OtherService.said("s3").contains(", not s3. "));
        assert!(!Cause::OtherService.said("`x`").contains('`'));
        assert!(
            Cause::Signature(Why::SessionToken).said("AKIAX").contains("unset AWS_SESSION_TOKEN")
        );
    }
}
