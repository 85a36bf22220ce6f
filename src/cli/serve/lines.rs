//! The `export` lines that point a client at a server.

use crate::cli::commands::credentials::exports;
use crate::vault::Credential;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use zeroize::Zeroizing;

/// The lines that every start prints, always in the same order.
pub(super) struct Lines {
    endpoint: String,
    pair: Zeroizing<String>,
    key_id: String,
    region: String,
}

impl Lines {
    pub(super) fn new(listening: SocketAddr, pair: &Credential, region: &str) -> Self {
        let address = reachable(listening);
        Self {
            endpoint: format!(
                "export AWS_ENDPOINT_URL_SECRETS_MANAGER=http://{address}\n\
                 export AWS_ENDPOINT_URL_STS=http://{address}\n"
            ),
            pair: exports(pair),
            key_id: format!("export AWS_ACCESS_KEY_ID={}\n", pair.access_key_id),
            region: format!("export AWS_REGION={region}\nexport AWS_DEFAULT_REGION={region}\n"),
        }
    }

    pub(super) fn with_pair(&self) -> Zeroizing<String> {
        self.joined(&self.pair)
    }

    /// For a place that others read, such as the log of a service.
    pub(super) fn without_secret(&self) -> Zeroizing<String> {
        self.joined(&self.key_id)
    }

    pub(super) fn without_pair(&self) -> Zeroizing<String> {
        self.joined("")
    }

    fn joined(&self, pair: &str) -> Zeroizing<String> {
        Zeroizing::new([&self.endpoint, pair, &self.region].concat())
    }
}

/// Where a client on this machine reaches a server that listens on every address.
pub(super) fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::secret::SecretBytes;

    fn lines(listening: &str) -> Lines {
        let pair = Credential {
            access_key_id: "AKIAEXAMPLE".into(),
            account: "000000000000".into(),
            secret_access_key: SecretBytes::copy_from(b"sec/ret+key"),
        };
        Lines::new(listening.parse().unwrap(), &pair, "eu-west-1")
    }

    #[test]
    fn the_lines_are_those_of_the_contract_in_its_order() {
        assert_eq!(
            *lines("127.0.0.1:4566").with_pair(),
            "export AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:4566\n\
             export AWS_ENDPOINT_URL_STS=http://127.0.0.1:4566\n\
             export AWS_ACCESS_KEY_ID=AKIAEXAMPLE\n\
             export AWS_SECRET_ACCESS_KEY=sec/ret+key\n\
             export AWS_REGION=eu-west-1\n\
             export AWS_DEFAULT_REGION=eu-west-1\n"
        );
    }

    #[test]
    fn the_pair_can_be_left_out() {
        let text = lines("127.0.0.1:4566").without_pair();
        assert!(!text.contains("KEY") && text.lines().count() == 4, "{}", *text);
    }

    /// SPEAK-7
    #[test]
    fn the_secret_half_can_be_left_out() {
        let text = lines("127.0.0.1:4566").without_secret();
        assert!(text.contains("export AWS_ACCESS_KEY_ID=AKIAEXAMPLE\n"), "{}", *text);
        assert!(!text.contains("SECRET_ACCESS") && !text.contains("sec/ret"), "{}", *text);
        assert_eq!(text.lines().count(), 5);
    }

    #[test]
    fn a_server_on_every_address_is_reached_on_loopback() {
        assert!(lines("0.0.0.0:80").endpoint.ends_with("=http://127.0.0.1:80\n"));
        assert!(lines("[::]:80").endpoint.ends_with("=http://[::1]:80\n"));
        assert!(lines("[::1]:80").endpoint.ends_with("=http://[::1]:80\n"));
    }
}
