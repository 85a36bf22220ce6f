//! What a vector is, and how it runs.
//!
//! A file holds a list of vectors: `{"name", "rule", "evidence", "steps"}`. A step is
//! `{"op", "in", "out" | "error", "save"}`: an operation, its request, and the exact answer, or the
//! exception with its text (`null`: a text that nobody has recorded). `save` keeps members of the
//! answer under names; `region` asks in another region than the usual one, `"as": "other"` with
//! the key of another account.
//!
//! In every text `${n}` is a name of the vector's own, `${t1}` to `${t9}` are tokens, `${x*512}` is
//! a letter repeated, `${saved}` what an earlier step saved, `${saved-7}` the same without its last
//! seven characters, `${function}` a rotation function, `${failing}` one that always fails. `{"$list": 21,
//! "of": ..}` is a list of so many items, in which `${i}` counts from 1. A step with `"wait": true` is asked
//! again until its answer comes, for some seconds: for what happens after another step was answered. See
//! `expect` for answers.

use super::expect::{self, Place};
use crate::common::http::{Client, Response};
use crate::common::sigv4::Keys;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

pub struct Vector {
    /// The file that it stands in.
    pub section: String,
    pub name: String,
    pub rule: String,
    pub evidence: String,
    pub steps: Vec<Value>,
}

/// A step, filled in.
pub struct Told {
    pub operation: String,
    pub request: Value,
    pub answer: Answer,
}

pub enum Answer {
    Success(Value),
    /// The exception, and its text if it is known.
    Refusal(String, Option<String>),
}

/// Rotation functions of the server: one that rotates and one whose every call fails. Those of
/// another server are in `STRONGROOM_CONFORMANCE_FUNCTION` and `STRONGROOM_CONFORMANCE_FAILING`.
pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
pub const FAILING: &str = "arn:aws:lambda:us-east-1:000000000000:function:failing";

/// How long a step may wait. Another server may never do what is waited for.
fn patience() -> Duration {
    let is_ours = cfg!(test) && std::env::var_os("STRONGROOM_CONFORMANCE_ENDPOINT").is_none();
    Duration::from_secs(if is_ours { 60 } else { 3 })
}

/// Stands for what only a server could tell.
const SAVED: &str = "saved-earlier";

/// All vectors, in the order of the files' names.
pub fn vectors() -> Vec<Vector> {
    // Also from the package of the tool that runs them elsewhere, which lies below.
    let dirs = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let dir = dirs.map(|dir| dir.join("tests/conformance")).find(|dir| dir.is_dir()).unwrap();
    let mut files: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    let text = |value: &Value, member: &str| {
        value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
    };
    let mut vectors = Vec::new();
    for path in files {
        let section = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let list: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{section}: {error}"));
        vectors.extend(list.iter().map(|value| Vector {
            section: section.clone(),
            name: text(value, "name"),
            rule: text(value, "rule"),
            evidence: text(value, "evidence"),
            steps: value["steps"].as_array().cloned().unwrap_or_default(),
        }));
    }
    vectors
}

type Variables = BTreeMap<String, String>;

impl Vector {
    fn variables(run: &str, index: usize) -> Variables {
        let mut variables = Variables::new();
        variables.insert("n".into(), format!("conf_{run}_{index}"));
        for token in 1..=9 {
            let value = format!("{run}-0000-4000-8000-{index:08}000{token}");
            variables.insert(format!("t{token}"), value);
        }
        for (name, default) in [("function", FUNCTION), ("failing", FAILING)] {
            let given = std::env::var(format!("STRONGROOM_CONFORMANCE_{}", name.to_uppercase()));
            variables.insert(name.into(), given.unwrap_or_else(|_| default.to_owned()));
        }
        variables
    }

    /// What its steps say, without asking anybody: what a server would have to tell is `SAVED`.
    pub fn told(&self, run: &str) -> Vec<Told> {
        let mut variables = Self::variables(run, self.name.len());
        let steps = self.steps.iter();
        steps
            .map(|step| {
                let saved = step["save"].as_object().into_iter().flatten();
                let request = filled(&step["in"], &variables);
                variables.extend(saved.map(|(name, _)| (name.clone(), SAVED.to_owned())));
                let answer = match step.get("out") {
                    Some(out) => Answer::Success(filled(out, &variables)),
                    None => {
                        let error = filled(&step["error"], &variables);
                        let text = |at: usize| error[at].as_str().map(str::to_owned);
                        Answer::Refusal(text(0).unwrap(), text(1))
                    }
                };
                Told { operation: step["op"].as_str().unwrap().to_owned(), request, answer }
            })
            .collect()
    }

    /// Sends each step's request and then all changes of it, whatever the answers: `each` sees them.
    /// So the changed ones meet what the steps have made.
    pub fn send_changed(
        &self,
        client: &mut Client,
        other: &Keys,
        index: usize,
        mut each: impl FnMut(&str, &Value, &Response),
    ) {
        let mut variables = Self::variables("00c0ffee", index);
        let usual = client.keys.clone();
        for step in &self.steps {
            let operation = step["op"].as_str().unwrap();
            let request = filled(&step["in"], &variables);
            client.keys = if step["as"] == "other" { other.clone() } else { usual.clone() };
            client.keys.region = step["region"].as_str().unwrap_or(&usual.region).to_owned();
            let response = client.call(operation, &request).unwrap();
            each(operation, &request, &response);
            for (name, member) in step["save"].as_object().into_iter().flatten() {
                let saved = response.json();
                let saved = saved[member.as_str().unwrap()].as_str().unwrap_or(SAVED).to_owned();
                variables.insert(name.clone(), saved);
            }
            for changed in expect::changes(&request) {
                let response = client.call(operation, &changed).unwrap();
                each(operation, &changed, &response);
            }
        }
        client.keys = usual;
    }

    /// Runs the steps and reports the first with a different answer.
    pub fn run(
        &self,
        client: &Client,
        other: &Keys,
        run: &str,
        index: usize,
    ) -> Result<(), String> {
        let mut variables = Self::variables(run, index);
        for (number, step) in self.steps.iter().enumerate() {
            let deadline = Instant::now() + patience();
            let mut outcome = step_over(client, other, step, &mut variables);
            while outcome.is_err() && step["wait"] == true && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
                outcome = step_over(client, other, step, &mut variables);
            }
            outcome.map_err(|why| format!("step {} ({}): {why}", number + 1, step["op"]))?;
        }
        Ok(())
    }
}

fn step_over(
    client: &Client,
    other: &Keys,
    step: &Value,
    variables: &mut Variables,
) -> Result<(), String> {
    let operation = step["op"].as_str().ok_or("no op")?;
    let request = filled(&step["in"], variables);
    let request = if request.is_null() { Value::Object(Map::new()) } else { request };
    let mut keys = if step["as"] == "other" { other.clone() } else { client.keys.clone() };
    if let Some(region) = step["region"].as_str() {
        keys.region = region.to_owned();
    }
    // A connection each: not every server keeps them.
    let mut client = Client::connect(&client.host, &keys).map_err(|e| e.to_string())?;
    let response = client.call(operation, &request).map_err(|e| e.to_string())?;
    let answer = response.json();
    let place = Place { region: &client.keys.region };
    match (step.get("out"), step.get("error")) {
        (Some(expected), None) if response.status == 200 => {
            expect::matches(&answer, &filled(expected, variables), &place, "")?;
        }
        (None, Some(expected)) if response.status != 200 => {
            expect::refused(response.status, &answer, &filled(expected, variables))?;
        }
        (Some(_), Some(_)) | (None, None) => return Err("neither out nor error".into()),
        _ => return Err(format!("answered {} {answer}", response.status)),
    }
    for (name, member) in step["save"].as_object().into_iter().flatten() {
        let pointer = format!("/{}", member.as_str().unwrap_or_default());
        let saved = answer.pointer(&pointer).and_then(Value::as_str);
        let saved = saved.ok_or_else(|| format!("nothing to save at {pointer}"))?;
        variables.insert(name.clone(), saved.to_owned());
    }
    Ok(())
}

/// `value` with the variables filled in, members' names included.
fn filled(value: &Value, variables: &Variables) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, variables)),
        Value::Array(items) => items.iter().map(|item| filled(item, variables)).collect(),
        Value::Object(members) if members.contains_key("$list") => {
            let mut variables = variables.clone();
            let count = members["$list"].as_u64().unwrap();
            let item = |at: u64| {
                variables.insert("i".into(), at.to_string());
                filled(&members["of"], &variables)
            };
            (1..=count).map(item).collect()
        }
        Value::Object(members) => Value::Object(
            members.iter().map(|(k, v)| (fill(k, variables), filled(v, variables))).collect(),
        ),
        other => other.clone(),
    }
}

/// The variable `name`, or `name-7`: without its last seven characters.
fn variable(name: &str, variables: &Variables) -> String {
    let (name, cut) = match name.split_once('-') {
        Some((name, cut)) => (name, cut.parse().unwrap()),
        None => (name, 0),
    };
    let value = variables.get(name).unwrap_or_else(|| panic!("nothing is called {name}"));
    value[..value.len() - cut].to_owned()
}

fn fill(text: &str, variables: &Variables) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').unwrap_or_else(|| panic!("open ${{ in {text}"));
        out.push_str(before);
        match name.split_once('*') {
            Some((letter, count)) => out.push_str(&letter.repeat(count.parse().unwrap())),
            None => out.push_str(&variable(name, variables)),
        }
        rest = after;
    }
    out + rest
}
