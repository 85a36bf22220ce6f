//! Patterns of IAM: `*` stands for any characters, `?` for one.

use std::str::Chars;

/// Whether all of `text` fits `pattern`. Takes time of the order of the product of their lengths.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on when what follows the last star does not fit: one character later.
    let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let (mut pattern_after, mut text_after) = (pattern.clone(), text.clone());
        match (pattern_after.next(), text_after.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                retry = Some((pattern_after.clone(), text.clone()));
                pattern = pattern_after;
            }
            (Some(wanted), Some(found)) if wanted == found || wanted == '?' => {
                (pattern, text) = (pattern_after, text_after);
            }
            _ => {
                let Some((after_star, from)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                (pattern, text) = (after_star.clone(), from.clone());
            }
        }
    }
}

/// The same without regard to the case of ASCII letters.
pub(super) fn fits_any_case(pattern: &str, text: &str) -> bool {
    fits(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// Whether a text stands for more than itself: a pattern, or a variable such as
/// `${aws:PrincipalAccount}`.
pub(super) fn is_open(text: &str) -> bool {
    text.contains(['*', '?']) || has_variable(text)
}

/// Whether a text has a variable, which is not filled in here.
pub(super) fn has_variable(text: &str) -> bool {
    text.contains("${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_fit_as_iam_has_it() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "abc"),
            ("a*c", "abbc"),
            ("a*c", "ac"),
            ("a?c", "abc"),
            ("*b*", "abc"),
            ("a*b*c", "a1b2b3c"),
            ("**?", "x"),
            ("arn:*:secret:app/?b-*", "arn:aws:secret:app/db-AbCdEf"),
            ("*aab", "aaaab"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", ""), ("a", "A"), ("?", ""), ("a?", "a"), ("a*c", "abcd"), ("*b", "a")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
        assert!(fits_any_case("SecretsManager:get*", "secretsmanager:GetSecretValue"));
    }

    #[test]
    fn the_worst_pattern_takes_a_moment() {
        let pattern = "*a".repeat(10_000);
        assert!(!fits(&pattern, &"a".repeat(600)));
        assert!(!fits("*a*a*a*a*a*a*a*a*a*a*b", &"a".repeat(5_000)));
    }
}
