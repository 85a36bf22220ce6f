//! Versions and their staging labels.

pub(crate) mod stage;
