//! Signature Version 4 for a client, written from the public specification. It shares no code with the
//! server's verifier.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Clone, Debug)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub region: String,
}

fn hmac(key: &[u8], data: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

/// `YYYYMMDDTHHMMSSZ` for a time in seconds since 1970.
pub fn amz_date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Civil date from a day count, eras of 400 years.
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    let (h, m, s) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}T{h:02}{m:02}{s:02}Z")
}

pub fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What is signed beside headers and body. The path has no query.
#[derive(Clone, Copy)]
pub struct What<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub service: &'a str,
}

/// The value of `Authorization` for `POST /` with these (lower-case, sorted) headers.
pub fn authorization(keys: &Keys, headers: &[(&str, &str)], body: &[u8]) -> String {
    let what = What { method: "POST", path: "/", service: "secretsmanager" };
    authorization_of(keys, what, headers, body)
}

/// The value of `Authorization` for any request with these (lower-case, sorted) headers.
pub fn authorization_of(
    keys: &Keys,
    what: What<'_>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let What { method, path, service } = what;
    let date = headers.iter().find(|(name, _)| *name == "x-amz-date").unwrap().1;
    let canonical_headers: String =
        headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let signed: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let signed = signed.join(";");
    let request = format!("{method}\n{path}\n\n{canonical_headers}\n{signed}\n{}", sha(body));
    let scope = format!("{}/{}/{service}/aws4_request", &date[..8], keys.region);
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha(request.as_bytes()));
    let mut key = hmac(format!("AWS4{}", keys.secret_access_key).as_bytes(), &date[..8]);
    for part in [keys.region.as_str(), service, "aws4_request"] {
        key = hmac(&key, part);
    }
    let signature = hex::encode(hmac(&key, &to_sign));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        keys.access_key_id
    )
}

#[test]
fn the_date_of_a_known_moment_is_right() {
    assert_eq!(amz_date(1_700_000_000), "20231114T221320Z");
    assert_eq!(amz_date(951_827_696), "20000229T123456Z");
}
