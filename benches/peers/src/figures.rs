//! The raw figures: one JSON object a line, in the order of the runs.

use crate::measure::Values;
use serde_json::{Map, Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// One measurement.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    pub group: String,
    pub case: String,
    pub member: String,
    pub round: usize,
    /// Of a short run, whose figures only show that the command works.
    pub quick: bool,
    pub values: Values,
    /// Puts in each second, where that is measured.
    pub series: Vec<f64>,
    /// Why there are no values.
    pub note: Option<String>,
    /// Texts: versions, names of the machine.
    pub texts: Vec<(String, String)>,
    /// The step of the run that it comes from.
    pub step: String,
}

impl Figure {
    pub fn to_json(&self) -> Value {
        let mut line = Map::new();
        line.insert("group".into(), json!(self.group));
        line.insert("case".into(), json!(self.case));
        line.insert("member".into(), json!(self.member));
        line.insert("round".into(), json!(self.round));
        line.insert("step".into(), json!(self.step));
        if self.quick {
            line.insert("quick".into(), json!(true));
        }
        if !self.values.is_empty() {
            let rounded = |value: &f64| (value * 1000.0).round() / 1000.0;
            let values =
                self.values.iter().map(|(name, value)| (name.clone(), json!(rounded(value))));
            line.insert("values".into(), Value::Object(values.collect()));
        }
        if !self.series.is_empty() {
            line.insert("series".into(), json!(self.series));
        }
        if let Some(note) = &self.note {
            line.insert("note".into(), json!(note));
        }
        if !self.texts.is_empty() {
            let texts = self.texts.iter().map(|(name, text)| (name.clone(), json!(text)));
            line.insert("texts".into(), Value::Object(texts.collect()));
        }
        Value::Object(line)
    }

    pub fn from_json(line: &Value) -> Self {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let numbers = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let object = |name: &str| line[name].as_object().cloned().unwrap_or_default();
        Self {
            group: text("group"),
            case: text("case"),
            member: text("member"),
            round: line["round"].as_u64().unwrap_or(0) as usize,
            quick: line["quick"].as_bool().unwrap_or(false),
            values: object("values").iter().map(|(name, v)| (name.clone(), numbers(v))).collect(),
            series: line["series"]
                .as_array()
                .map(|s| s.iter().map(numbers).collect())
                .unwrap_or_default(),
            note: line["note"].as_str().map(str::to_owned),
            texts: object("texts")
                .iter()
                .map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned()))
                .collect(),
            step: text("step"),
        }
    }
}

/// The file of figures.
pub struct File(PathBuf);

impl File {
    pub fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    pub fn read(&self) -> Vec<Figure> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        lines.map(|line: Value| Figure::from_json(&line)).collect()
    }

    /// Each figure is in the file before the next one is measured, so that a run can be resumed.
    pub fn append(&self, figure: &Figure) {
        let file = OpenOptions::new().create(true).append(true).open(&self.0);
        let line = format!("{}\n", figure.to_json());
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("the figures can be written");
    }

    /// Drops figures.
    pub fn keep(&self, keep: impl Fn(&Figure) -> bool) {
        let kept: String = self
            .read()
            .iter()
            .filter(|figure| keep(figure))
            .map(|figure| format!("{}\n", figure.to_json()))
            .collect();
        let draft = self.0.with_extension("draft");
        std::fs::write(&draft, kept).expect("the figures can be written");
        std::fs::rename(&draft, &self.0).expect("the figures can be replaced");
    }
}

pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}
