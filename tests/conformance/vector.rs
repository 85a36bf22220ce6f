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
//! seven characters. See `expect` for answers.

use super::common::http::Client;
use super::common::sigv4::Keys;
use super::expect::{self, Place};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

pub struct Vector {
    /// The file that it stands in.
    pub section: String,
    pub name: String,
    pub rule: String,
    pub evidence: String,
    pub steps: Vec<Value>,
}

/// All vectors, in the order of the files' names.
pub fn vectors() -> Vec<Vector> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
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
        variables
    }

    /// The operations and requests of its steps, for who does not look at answers.
    pub fn requests(&self, run: &str) -> Vec<(String, Value)> {
        let mut variables = Self::variables(run, self.name.len());
        let steps = self.steps.iter();
        steps
            .map(|step| {
                let saved = step["save"].as_object().into_iter().flatten();
                let request = filled(&step["in"], &variables);
                variables.extend(saved.map(|(name, _)| (name.clone(), "saved-earlier".to_owned())));
                (step["op"].as_str().unwrap().to_owned(), request)
            })
            .collect()
    }

    /// Runs the steps; the first that is answered otherwise is told.
    pub fn run(
        &self,
        client: &Client,
        other: &Keys,
        run: &str,
        index: usize,
    ) -> Result<(), String> {
        let mut variables = Self::variables(run, index);
        for (number, step) in self.steps.iter().enumerate() {
            step_over(client, other, step, &mut variables)
                .map_err(|why| format!("step {} ({}): {why}", number + 1, step["op"]))?;
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
