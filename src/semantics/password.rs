//! `GetRandomPassword` (SEM-PW-1 to SEM-PW-9): which characters a password may and must have, and
//! how it is drawn. Chance comes in by a function of the caller, so the same bytes give the same
//! password.

use super::fault::Fault;
use super::messages;
use crate::model::api::GetRandomPassword;
use crate::model::limits;
use crate::semantics::validate::{Check, Violations};
use zeroize::Zeroizing;

const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
const NUMBERS: &str = "0123456789";
const PUNCTUATION: &str = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;

impl Check for GetRandomPassword {
    type Names = ();

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        if let Some(length) = self.password_length {
            found.number("passwordLength", length, 1, limits::PASSWORD_CHARS_MAX);
        }
        if let Some(text) = &self.exclude_characters {
            found.text("excludeCharacters", text, 0, limits::EXCLUDE_CHARACTERS_MAX);
        }
        found.into_result()
    }
}

/// How a checked request wants its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    length: usize,
    /// All characters that may appear; never empty.
    pool: Vec<u8>,
    /// From each of these one character at least; none is empty, and `length` suffices.
    required: Vec<Vec<u8>>,
}

impl Recipe {
    /// Reads a request: E27, then E26, E25, E24.
    pub fn new(request: &GetRandomPassword) -> Result<Self, Fault> {
        request.check()?;
        let excluded = request.exclude_characters.as_deref().unwrap_or_default();
        let allowed = |class: &str| -> Vec<u8> {
            class.chars().filter(|letter| !excluded.contains(*letter)).map(|c| c as u8).collect()
        };
        let classes: Vec<Vec<u8>> = [
            (request.exclude_uppercase, UPPERCASE),
            (request.exclude_lowercase, LOWERCASE),
            (request.exclude_numbers, NUMBERS),
            (request.exclude_punctuation, PUNCTUATION),
        ]
        .into_iter()
        .filter(|(switched_off, _)| *switched_off != Some(true))
        .map(|(_, class)| allowed(class))
        .collect();
        let mut pool = classes.concat();
        if request.include_space == Some(true) {
            pool.extend(allowed(" "));
        }
        if pool.is_empty() {
            return Err(messages::no_characters_left());
        }
        let length = request.password_length.map_or(limits::PASSWORD_CHARS_DEFAULT, |length| {
            usize::try_from(length).unwrap_or(limits::PASSWORD_CHARS_DEFAULT)
        });
        let required = match request.require_each_included_type {
            Some(false) => Vec::new(),
            Some(true) | None => classes,
        };
        if required.iter().any(Vec::is_empty) {
            return Err(messages::no_characters_of_type());
        }
        if length < required.len() {
            return Err(messages::password_too_short());
        }
        Ok(Self { length, pool, required })
    }

    /// Draws a password, in ASCII. `fill` fills a buffer with random bytes; what it gave is wiped.
    pub fn draw<E>(
        &self,
        fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Zeroizing<Vec<u8>>, E> {
        let mut dice = Dice::new(fill);
        // Exactly as long as needed: a vector that grows leaves a copy behind.
        let mut password = Zeroizing::new(Vec::with_capacity(self.length));
        for class in &self.required {
            password.push(dice.pick(class)?);
        }
        while password.len() < self.length {
            password.push(dice.pick(&self.pool)?);
        }
        // The required characters stand first until here: every order gets the same chance.
        for last in (1..password.len()).rev() {
            let other = dice.below(last + 1)?;
            password.swap(last, other);
        }
        Ok(password)
    }
}

/// Numbers without bias, out of random bytes.
struct Dice<F> {
    fill: F,
    bytes: Zeroizing<[u8; 128]>,
    used: usize,
}

impl<E, F: FnMut(&mut [u8]) -> Result<(), E>> Dice<F> {
    fn new(fill: F) -> Self {
        let bytes = Zeroizing::new([0; 128]);
        Self { fill, used: bytes.len(), bytes }
    }

    /// One of `set`, which is not empty.
    fn pick(&mut self, set: &[u8]) -> Result<u8, E> {
        let at = self.below(set.len())?;
        Ok(set.get(at).copied().unwrap_or_default())
    }

    /// A number below `bound`, which is 1 to 65,536. What lies past the last whole multiple of
    /// `bound` is drawn again, for it would favour small numbers.
    fn below(&mut self, bound: usize) -> Result<usize, E> {
        let whole = (1 << 16) / bound * bound;
        loop {
            let number = usize::from(self.next()?);
            if number < whole {
                return Ok(number % bound);
            }
        }
    }

    fn next(&mut self) -> Result<u16, E> {
        loop {
            let rest = self.bytes.get(self.used..).and_then(<[u8]>::first_chunk::<2>);
            if let Some(pair) = rest {
                self.used += 2;
                return Ok(u16::from_le_bytes(*pair));
            }
            (self.fill)(self.bytes.as_mut_slice())?;
            self.used = 0;
        }
    }
}
