//! Plain SVG, readable on light and dark ground: the colours follow the reader's scheme, and names stand
//! beside what they name.

use super::{ratio, whole};
use std::fmt::Write;

pub struct Bar {
    pub name: String,
    /// `own`, `limit` or `peer`: its colour.
    pub kind: &'static str,
    pub value: f64,
}

pub struct Panel {
    pub title: String,
    pub bars: Vec<Bar>,
}

const STYLE: &str = "\
text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#24292f}
.title{font-size:15px;font-weight:600}.head{font-weight:600}.soft{fill:#57606a}.end{text-anchor:end}
.mid{text-anchor:middle}.own{fill:#0a66c2}.limit{fill:#9aa4af}.peer{fill:#c98a2b}
.grid{stroke:#d0d7de;stroke-width:1}.line{fill:none;stroke-width:1.8}.one{stroke:#57606a;stroke-dasharray:3 3}
.s0{stroke:#0a66c2}.s1{stroke:#7d8791}.s2{stroke:#c4432b}.s3{stroke:#2b8a4b}.s4{stroke:#a06a12}
.t0{fill:#0a66c2;font-weight:600}.t1{fill:#5d666f}.t2{fill:#c4432b}.t3{fill:#2b8a4b}.t4{fill:#8a5a0c}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#9198a1}.own{fill:#4da3ff}.limit{fill:#6e7781}
.peer{fill:#e0a84a}.grid{stroke:#30363d}.one{stroke:#9198a1}.s0{stroke:#4da3ff}.s1{stroke:#9198a1}
.s2{stroke:#ff7b61}.s3{stroke:#4cc273}.s4{stroke:#e0a84a}.t0{fill:#4da3ff}.t1{fill:#9198a1}.t2{fill:#ff7b61}
.t3{fill:#4cc273}.t4{fill:#e0a84a}}";

const WIDTH: f64 = 880.0;
/// Room for names before bars, and for values behind them.
const NAMES: f64 = 104.0;
const VALUES: f64 = 44.0;

fn document(title: &str, height: f64, body: &str) -> String {
    let shown = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{shown}\">\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"8\" y=\"22\">{shown}</text>\n{body}</svg>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn text(out: &mut String, class: &str, (x, y): (f64, f64), text: &str) {
    let _ =
        writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text));
}

fn line(out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        out,
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

/// Panels of horizontal bars side by side, at most three in a row. A dashed line marks 1.
pub fn bars(title: &str, panels: &[Panel]) -> String {
    let columns = if panels.len() == 4 { 2 } else { panels.len().clamp(1, 3) };
    let width = WIDTH / columns as f64;
    let rows = panels.iter().map(|panel| panel.bars.len()).max().unwrap_or(0) as f64;
    let height = 40.0 + rows * 20.0;
    let mut body = String::new();
    for (n, panel) in panels.iter().enumerate() {
        let x = (n % columns) as f64 * width;
        let y = 52.0 + (n / columns) as f64 * height;
        let most = panel.bars.iter().map(|bar| bar.value).fold(1.0, f64::max);
        let length = |value: f64| (width - NAMES - VALUES) * value / most;
        text(&mut body, "head", (x + NAMES, y), &panel.title);
        for (n, bar) in panel.bars.iter().enumerate() {
            let top = y + 10.0 + n as f64 * 20.0;
            let class = if bar.kind == "own" { "end head" } else { "end" };
            text(&mut body, class, (x + NAMES - 6.0, top + 11.5), &bar.name);
            let long = length(bar.value).max(1.0);
            let _ = writeln!(
                body,
                "<rect class=\"{}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{long:.1}\" height=\"14\" rx=\"2\"/>",
                bar.kind,
                x + NAMES
            );
            text(&mut body, "soft end", (x + width - 4.0, top + 11.5), &ratio(bar.value));
        }
        let at = x + NAMES + length(1.0);
        let last = y + 8.0 + panel.bars.len() as f64 * 20.0;
        line(&mut body, "one", (at, y + 6.0), (at, last));
    }
    let down = panels.len().div_ceil(columns) as f64;
    document(title, 36.0 + down * height, &body)
}

/// A number on a scale that ends a little above the largest value.
fn step_of(most: f64) -> f64 {
    let power = 10_f64.powf((most / 4.0).max(1.0).log10().floor());
    let found = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power * 4.0 >= most);
    found.unwrap_or(10.0) * power
}

/// One value for each second. The names stand at the ends of the lines.
pub fn lines(title: &str, unit: &str, series: &[(&str, String, Vec<f64>)]) -> String {
    let (left, right, top, bottom) = (64.0, 110.0, 48.0, 300.0);
    let most = series.iter().flat_map(|(_, _, values)| values).copied().fold(1.0, f64::max);
    let seconds = series.iter().map(|(_, _, values)| values.len()).max().unwrap_or(1).max(2);
    let step = step_of(most);
    let highest = step * (most / step).ceil();
    let x = |second: usize| left + (WIDTH - left - right) * second as f64 / (seconds - 1) as f64;
    let y = |value: f64| bottom - (bottom - top) * value / highest;
    let mut body = String::new();
    let mut mark = 0.0;
    while mark <= highest {
        line(&mut body, "grid", (left, y(mark)), (WIDTH - right, y(mark)));
        text(&mut body, "soft end", (left - 6.0, y(mark) + 4.0), &whole(mark));
        mark += step;
    }
    text(&mut body, "soft", (left, top - 8.0), unit);
    for second in (0..seconds).step_by((seconds / 6).max(1)) {
        text(&mut body, "soft mid", (x(second), bottom + 18.0), &format!("{second} s"));
    }
    let mut ends: Vec<(f64, usize)> = Vec::new();
    for (n, (_, _, values)) in series.iter().enumerate() {
        let points = values.iter().enumerate();
        let points: Vec<String> =
            points.map(|(second, value)| format!("{:.1},{:.1}", x(second), y(*value))).collect();
        let _ = writeln!(body, "<polyline class=\"line s{n}\" points=\"{}\"/>", points.join(" "));
        ends.push((y(values.last().copied().unwrap_or(0.0)), n));
    }
    // Names that would cover each other move down.
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = f64::MIN;
    for (end, n) in ends {
        let at = end.max(free);
        free = at + 15.0;
        text(&mut body, &format!("t{n}"), (WIDTH - right + 6.0, at + 4.0), &series[n].1);
    }
    document(title, bottom + 30.0, &body)
}
