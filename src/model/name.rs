//! Names of things: parsed once at the edge, then trusted (rules SEM-NAME, SEM-ARN).

use super::limits;
use std::borrow::Cow;
use std::fmt;

/// A secret's friendly name: 1 to 512 of `A-Z a-z 0-9 / _ + = . @ ! -`. Holding one proves that it
/// was checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(Box<str>);

/// A character that no name may have, or a wrong length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No character at all.
    #[error("name is empty")]
    Empty,
    /// More than 512 characters.
    #[error("name is longer than 512 characters")]
    TooLong,
    /// The character at this position is not allowed.
    #[error("name has a character that is not allowed. position={0}")]
    Character(usize),
}

impl SecretName {
    /// Checks `text`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(position) = text.chars().position(|c| !is_name_char(c)) {
            return Err(NameError::Character(position));
        }
        if text.len() > limits::NAME_CHARS_MAX {
            return Err(NameError::TooLong);
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/_+=.@!-".contains(c)
}

/// Account and region: names are unique within one (rule SEM-NAME-2). Also what a caller is: its
/// credential names the account, its signature's scope the region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// 12 digits; anything else is one of the vault's own (never reachable by a caller).
    pub account: Box<str>,
    /// Such as `us-east-1`.
    pub region: Box<str>,
}

impl Scope {
    /// The account that a vault uses unless told otherwise.
    pub const DEFAULT_ACCOUNT: &'static str = "000000000000";
    /// The region that a vault uses unless told otherwise.
    pub const DEFAULT_REGION: &'static str = "us-east-1";

    /// A scope of a caller.
    #[must_use]
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The ARN partition that the region belongs to.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        if self.region.starts_with("cn-") {
            "aws-cn"
        } else if self.region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

impl From<&Scope> for Scope {
    fn from(scope: &Scope) -> Self {
        scope.clone()
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::new(Self::DEFAULT_ACCOUNT, Self::DEFAULT_REGION)
    }
}

/// Whether `text` is what a caller's account can be: 12 digits.
#[must_use]
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `text` looks like a region (`^([a-z]+-)+\d+$`, at most 128 characters).
#[must_use]
pub fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    text.len() <= 128
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
        && words
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
}

/// Whether `text` can stand in a `Host` header as `NAME` or `NAME:PORT`: letters, digits, `-`, `.`, `_`, or an
/// IPv6 address in brackets; at most 253 characters and a port from 1 to 65535.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let (name, port) = host_and_port(text);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => (1..=253).contains(&name.len()) && name.bytes().all(is_plain),
    };
    let is_port = |port: &str| {
        port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)
    };
    is_name && port.is_none_or(is_port)
}

/// Takes `NAME:PORT` apart. A name without a port has none.
#[must_use]
pub fn host_and_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        // The last colon of an IPv6 address in brackets is no port's.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

/// Whether `text` has the form of an access key id, as AWS and this vault make them. A secret access key has
/// another.
#[must_use]
pub fn is_access_key_id(text: &str) -> bool {
    let rest = text.strip_prefix("AKIA").or_else(|| text.strip_prefix("ASIA"));
    rest.is_some_and(|rest| {
        rest.len() == 16
            && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

/// The six characters of `A-Z a-z 0-9` at the end of an ARN, drawn once per creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Suffix(pub [u8; 6]);

impl Suffix {
    /// Makes a suffix of random bytes, unbiased; `None` asks for more bytes.
    #[must_use]
    pub fn from_random(bytes: &[u8]) -> Option<Self> {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut letters = bytes.iter().filter(|byte| **byte < 248);
        let mut suffix = [0; 6];
        for letter in &mut suffix {
            *letter = *ALPHABET.get(usize::from(letters.next()? % 62))?;
        }
        Some(Self(suffix))
    }

    /// The suffix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??????")
    }
}

/// A complete ARN of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arn {
    /// Account and region.
    pub scope: Scope,
    /// The friendly name.
    pub name: SecretName,
    /// The random end.
    pub suffix: Suffix,
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, name, suffix } = self;
        let (partition, region, account) = (scope.partition(), &scope.region, &scope.account);
        write!(
            f,
            "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{}",
            suffix.as_str()
        )
    }
}

/// A parsed `SecretId` (rules SEM-ARN-1 to 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// A friendly name in the caller's own scope.
    Name(SecretName),
    /// An ARN that ends in hyphen and six alphanumerics: only an exact match counts.
    Arn(Arn),
    /// An ARN without that end: its resource part must be a name.
    PartialArn(Scope, SecretName),
    /// Starts with `arn:` but can be nobody's: found nowhere.
    Nowhere,
}

impl SecretRef {
    /// Reads a `SecretId`. A friendly name with a forbidden character is an error (E12).
    pub fn parse(text: &str) -> Result<Self, NameError> {
        #[cfg(test)]
        parses::count(|parses| parses.references += 1);
        let Some(rest) = text.strip_prefix("arn:") else {
            return SecretName::parse(text).map(Self::Name);
        };
        let mut parts = rest.splitn(6, ':');
        let (
            Some(partition),
            Some("secretsmanager"),
            Some(region),
            Some(account),
            Some("secret"),
            Some(resource),
        ) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Ok(Self::Nowhere);
        };
        let scope = Scope::new(account, region);
        if scope.partition() != partition {
            return Ok(Self::Nowhere);
        }
        let complete =
            resource.len().checked_sub(7).and_then(|at| resource.split_at_checked(at)).and_then(
                |(name, end)| {
                    let suffix: [u8; 6] = end.strip_prefix('-')?.as_bytes().try_into().ok()?;
                    suffix.iter().all(u8::is_ascii_alphanumeric).then_some((name, Suffix(suffix)))
                },
            );
        Ok(match complete {
            Some((name, suffix)) => SecretName::parse(name)
                .map_or(Self::Nowhere, |name| Self::Arn(Arn { scope, name, suffix })),
            None => SecretName::parse(resource)
                .map_or(Self::Nowhere, |name| Self::PartialArn(scope, name)),
        })
    }
}

/// `VersionId`, which is the `ClientRequestToken` that made the version: 32 to 64 characters of
/// any kind, compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(Box<str>);

impl VersionId {
    /// Checks the length, in characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        #[cfg(test)]
        parses::count(|parses| parses.version_ids += 1);
        let chars = text.chars().count();
        (limits::VERSION_ID_CHARS_MIN..=limits::VERSION_ID_CHARS_MAX)
            .contains(&chars)
            .then(|| Self(text.into()))
    }

    /// A random (version 4) UUID made of `random`, as every AWS SDK makes one.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid().to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A staging label: 1 to 256 characters of any kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stage(Cow<'static, str>);

impl Stage {
    /// The label of the version that readers get.
    pub const CURRENT: &'static str = "AWSCURRENT";
    /// The label of the version that was current before.
    pub const PREVIOUS: &'static str = "AWSPREVIOUS";
    /// The label of a rotation's new version.
    pub const PENDING: &'static str = "AWSPENDING";

    /// Checks the length, in characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let chars = text.chars().count();
        // Those that nearly every secret has need no block of their own.
        let known = [Self::CURRENT, Self::PREVIOUS, Self::PENDING].into_iter();
        let known = known.map(Cow::Borrowed).find(|known| known == text);
        let fits = (1..=limits::STAGE_CHARS_MAX).contains(&chars);
        fits.then(|| Self(known.unwrap_or_else(|| Cow::Owned(text.to_owned()))))
    }

    /// `AWSCURRENT`.
    #[must_use]
    pub fn current() -> Self {
        Self(Cow::Borrowed(Self::CURRENT))
    }

    /// `AWSPREVIOUS`.
    #[must_use]
    pub fn previous() -> Self {
        Self(Cow::Borrowed(Self::PREVIOUS))
    }

    /// `AWSPENDING`.
    #[must_use]
    pub fn pending() -> Self {
        Self(Cow::Borrowed(Self::PENDING))
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How often this thread has parsed names, for the tests that hold it to once a request.
#[cfg(test)]
pub(crate) mod parses {
    use std::cell::Cell;

    /// Calls of the parsers.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Parses {
        pub(crate) references: usize,
        pub(crate) version_ids: usize,
    }

    thread_local! {
        static PARSES: Cell<Parses> = const { Cell::new(Parses { references: 0, version_ids: 0 }) };
    }

    pub(super) fn count(note: impl FnOnce(&mut Parses)) {
        let mut parses = PARSES.get();
        note(&mut parses);
        PARSES.set(parses);
    }

    /// What `act` parsed.
    pub(crate) fn during(act: impl FnOnce()) -> Parses {
        PARSES.set(Parses::default());
        act();
        PARSES.get()
    }
}
