//! `GetRandomPassword` (SEM-PW).

use super::refused;
use crate::model::api::GetRandomPassword;
use crate::semantics::FaultKind::{InvalidParameter, Validation};
use crate::semantics::password::Recipe;
use std::collections::BTreeMap;
use std::convert::Infallible;

const TOO_SHORT: &str = "Password length is too short based on the required types.";
const NONE_OF_TYPE: &str = "All characters of the desired type have been excluded.";
const NONE_AT_ALL: &str = "All characters have been excluded from selection.";

/// Random enough, and the same in every run.
fn chance() -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |buffer| {
        for byte in buffer {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_be_bytes()[0];
        }
        Ok(())
    }
}

fn drawn(recipe: &Recipe, chance: &mut impl FnMut(&mut [u8]) -> Result<(), Infallible>) -> String {
    let Ok(password) = recipe.draw(chance);
    String::from_utf8(password.to_vec()).unwrap()
}

fn password(request: &GetRandomPassword) -> String {
    drawn(&Recipe::new(request).unwrap(), &mut chance())
}

/// All characters that passwords of such requests have, sorted.
fn alphabet(request: &GetRandomPassword) -> String {
    let request = GetRandomPassword { password_length: Some(4096), ..request.clone() };
    let mut all: Vec<char> = password(&request).chars().collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().collect()
}

fn excluding(characters: &str) -> GetRandomPassword {
    GetRandomPassword { exclude_characters: Some(characters.into()), ..Default::default() }
}

/// Only capitals, none of them required.
fn capitals() -> GetRandomPassword {
    GetRandomPassword {
        exclude_lowercase: Some(true),
        exclude_numbers: Some(true),
        exclude_punctuation: Some(true),
        require_each_included_type: Some(false),
        ..Default::default()
    }
}

const CLASSES: [fn(&char) -> bool; 4] = [
    char::is_ascii_uppercase,
    char::is_ascii_lowercase,
    char::is_ascii_digit,
    char::is_ascii_punctuation,
];

/// SEM-PW-1: every printable character of ASCII but the space.
#[test]
fn a_password_is_of_letters_digits_and_punctuation() {
    let all: String = ('!'..='~').collect();
    assert_eq!(all.len(), 94);
    assert_eq!(alphabet(&GetRandomPassword::default()), all);
}

/// SEM-PW-2: 32 unless said otherwise, and exactly as long as asked.
#[test]
fn a_password_has_the_length_that_was_asked_for() {
    assert_eq!(password(&GetRandomPassword::default()).len(), 32);
    for length in [4, 5, 31, 1000, 4096] {
        let request = GetRandomPassword { password_length: Some(length), ..Default::default() };
        assert_eq!(password(&request).len(), usize::try_from(length).unwrap());
    }
    for (length, must) in [
        (0, "greater than or equal to 1"),
        (-1, "greater than or equal to 1"),
        (4097, "less than or equal to 4096"),
    ] {
        let request = GetRandomPassword { password_length: Some(length), ..Default::default() };
        let text = format!(
            "1 validation error detected: Value '{length}' at 'passwordLength' failed to satisfy \
             constraint: Member must have value {must}"
        );
        refused(Recipe::new(&request), Validation, &text);
    }
    let fault = Recipe::new(&excluding(&"x".repeat(4097))).unwrap_err();
    assert!(fault.message.contains("at 'excludeCharacters' failed"), "{fault:?}");
    assert!(Recipe::new(&excluding(&"x".repeat(4096))).is_ok());
}

/// SEM-PW-3
#[test]
fn each_class_can_be_switched_off() {
    let off = |class: usize| {
        let mut off = [None; 4];
        off[class] = Some(true);
        let [exclude_uppercase, exclude_lowercase, exclude_numbers, exclude_punctuation] = off;
        GetRandomPassword {
            exclude_numbers,
            exclude_punctuation,
            exclude_uppercase,
            exclude_lowercase,
            ..Default::default()
        }
    };
    for (number, class) in CLASSES.iter().enumerate() {
        let expected: String = ('!'..='~').filter(|letter| !class(letter)).collect();
        assert_eq!(alphabet(&off(number)), expected);
    }
}

/// SEM-PW-4: exactly these characters are left out, whatever class they are of.
#[test]
fn excluded_characters_never_appear() {
    let expected: String = ('!'..='~').filter(|letter| !"aZ0\"\\".contains(*letter)).collect();
    assert_eq!(alphabet(&excluding("aZ0\"\\a\u{e9}")), expected);
}

/// SEM-PW-5: the space is asked for, never required, and can be excluded again.
#[test]
fn a_space_appears_only_if_asked_for() {
    let spaced = GetRandomPassword { include_space: Some(true), ..Default::default() };
    assert!(alphabet(&spaced).starts_with(" !"));
    let excluded = GetRandomPassword { include_space: Some(true), ..excluding(" ") };
    assert!(alphabet(&excluded).starts_with('!'));
    let four = GetRandomPassword { password_length: Some(4), ..spaced };
    assert!(Recipe::new(&four).is_ok(), "four classes in four characters");
    let only = GetRandomPassword {
        exclude_uppercase: Some(true),
        include_space: Some(true),
        password_length: Some(3),
        ..capitals()
    };
    assert_eq!(password(&only), "   ");
}

/// SEM-PW-6: one of each class that is not switched off, unless that is switched off.
#[test]
fn each_included_class_appears() {
    let mut chance = chance();
    let request = GetRandomPassword { password_length: Some(4), ..Default::default() };
    let strict = Recipe::new(&request).unwrap();
    let request = GetRandomPassword { require_each_included_type: Some(false), ..request };
    let lax = Recipe::new(&request).unwrap();
    let mut incomplete = 0;
    for _ in 0..500 {
        let password = drawn(&strict, &mut chance);
        for class in CLASSES {
            assert_eq!(password.chars().filter(class).count(), 1, "{password}");
        }
        let password = drawn(&lax, &mut chance);
        incomplete += usize::from(CLASSES.iter().any(|class| !password.chars().any(|c| class(&c))));
    }
    assert!(incomplete > 0, "nothing is required, and still nothing is ever missing");
}

/// SEM-PW-7: E24, E25, E26.
#[test]
fn what_cannot_be_drawn_is_refused() {
    let short = GetRandomPassword { password_length: Some(3), ..Default::default() };
    refused(Recipe::new(&short), InvalidParameter, TOO_SHORT);
    let three = GetRandomPassword { exclude_punctuation: Some(true), ..short.clone() };
    assert!(Recipe::new(&three).is_ok(), "three classes in three characters");
    let lax = GetRandomPassword { require_each_included_type: Some(false), ..short };
    assert!(Recipe::new(&lax).is_ok());

    refused(Recipe::new(&excluding("0123456789")), InvalidParameter, NONE_OF_TYPE);
    let lax =
        GetRandomPassword { require_each_included_type: Some(false), ..excluding("0123456789") };
    assert!(Recipe::new(&lax).is_ok());
    let off = GetRandomPassword { exclude_numbers: Some(true), ..excluding("0123456789") };
    assert!(Recipe::new(&off).is_ok(), "a class that is switched off is not required");

    let none = GetRandomPassword { exclude_uppercase: Some(true), ..capitals() };
    refused(Recipe::new(&none), InvalidParameter, NONE_AT_ALL);
    let all: String = ('!'..='~').collect();
    for require_each_included_type in [None, Some(true), Some(false)] {
        let request = GetRandomPassword { require_each_included_type, ..excluding(&all) };
        refused(Recipe::new(&request), InvalidParameter, NONE_AT_ALL);
    }
}

/// SEM-PW-8: over all random numbers that there are, each character comes up equally often; the few
/// numbers that would tip the scales are drawn again.
#[test]
fn no_character_is_favoured() {
    let request = GetRandomPassword { password_length: Some(1), ..capitals() };
    let recipe = Recipe::new(&request).unwrap();
    let mut counts: BTreeMap<Option<u8>, u32> = BTreeMap::new();
    for number in 0..=u16::MAX {
        let mut first = true;
        let result = recipe.draw(|buffer| {
            if !std::mem::take(&mut first) {
                return Err("drawn again");
            }
            for pair in buffer.chunks_exact_mut(2) {
                pair.copy_from_slice(&number.to_le_bytes());
            }
            Ok(())
        });
        *counts.entry(result.ok().map(|password| password[0])).or_default() += 1;
    }
    assert_eq!(counts.remove(&None), Some(65_536 % 26));
    assert_eq!(counts.len(), 26);
    assert!(counts.values().all(|count| *count == 65_536 / 26), "{counts:?}");
}

/// SEM-PW-9: a required character may stand anywhere.
#[test]
fn required_characters_have_no_fixed_place() {
    let request = GetRandomPassword { password_length: Some(4), ..Default::default() };
    let recipe = Recipe::new(&request).unwrap();
    let mut chance = chance();
    let mut at = [[0; 4]; 4];
    for _ in 0..4000 {
        for (place, letter) in drawn(&recipe, &mut chance).chars().enumerate() {
            let class = CLASSES.iter().position(|class| class(&letter)).unwrap();
            at[class][place] += 1;
        }
    }
    assert!(at.iter().flatten().all(|count| (850..1150).contains(count)), "{at:?}");
}

/// SEM-PW-8: without chance there is no password.
#[test]
fn a_source_that_fails_gives_no_password() {
    let recipe = Recipe::new(&GetRandomPassword::default()).unwrap();
    assert_eq!(recipe.draw(|_| Err("dry")).err(), Some("dry"));
}
