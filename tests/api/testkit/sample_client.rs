//! A small client as many programs have one: it changes a password and can go back to the one
//! before. It talks to AWS through a trait of its own, so that a test can put anything behind it.
//!
//! Its planted bug: where no answer comes it tries again with a fresh `ClientRequestToken`. If the
//! first request had arrived all the same, the password is put twice, and `AWSPREVIOUS` is the new
//! password too: the old one, that the way back leads to, has lost its label.

use serde_json::{Value, json};

/// What came of a request: status and body, or nothing within the time.
pub type Answer = Option<(u16, Value)>;

/// A way to the service.
pub trait Service {
    fn send(&mut self, operation: &str, body: Value) -> Answer;
}

/// Why the client gave up.
#[derive(Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// The service refused; the exception's name.
    Refused(String),
    /// Too many tries.
    Tired,
}

/// Whether the client has its bug.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Build {
    Planted,
    Mended,
}

pub struct Client<S> {
    service: S,
    build: Build,
    tokens: u64,
}

const TRIES: u32 = 8;

impl<S: Service> Client<S> {
    pub fn new(service: S, build: Build) -> Self {
        Self { service, build, tokens: 0 }
    }

    fn fresh_token(&mut self) -> String {
        self.tokens += 1;
        format!("00000000-0000-4000-8000-{:012}", self.tokens)
    }

    pub fn create(&mut self, name: &str, password: &str) -> Result<(), GaveUp> {
        let token = self.fresh_token();
        let body = json!({"Name": name, "SecretString": password, "ClientRequestToken": token});
        self.send("CreateSecret", body).map(drop)
    }

    /// Makes `password` the current one. The one before stays within reach of [`Client::undo`].
    pub fn change(&mut self, id: &str, password: &str) -> Result<(), GaveUp> {
        let token = self.fresh_token();
        let body = json!({"SecretId": id, "SecretString": password, "ClientRequestToken": token});
        self.send("PutSecretValue", body).map(drop)
    }

    /// The password before the last change.
    pub fn before(&mut self, id: &str) -> Result<String, GaveUp> {
        let body = json!({"SecretId": id, "VersionStage": "AWSPREVIOUS"});
        let answer = self.send("GetSecretValue", body)?;
        Ok(answer["SecretString"].as_str().unwrap_or_default().to_owned())
    }

    /// Tries until there is an answer that is one.
    fn send(&mut self, operation: &str, mut body: Value) -> Result<Value, GaveUp> {
        for _ in 0..TRIES {
            match self.service.send(operation, body.clone()) {
                Some((200, answer)) => return Ok(answer),
                Some((status, answer)) => {
                    let exception = answer["__type"].as_str().unwrap_or_default();
                    if status < 500 && exception != "ThrottlingException" {
                        return Err(GaveUp::Refused(exception.to_owned()));
                    }
                }
                None if self.build == Build::Planted && body["ClientRequestToken"].is_string() => {
                    body["ClientRequestToken"] = self.fresh_token().into();
                }
                None => {}
            }
        }
        Err(GaveUp::Tired)
    }
}
