//! Runs the steps: a child process and a new folder for each, with a time limit. Each figure is written at
//! once, so `run --resume` goes on where a run was stopped.

use crate::figures::{Figure, File};
use crate::http::server::BINARY;
use crate::machine;
use crate::members;
use crate::plan::{GROUPS, Scale, Step, steps};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What the command line asks for.
pub struct Run {
    pub scale: Scale,
    /// Groups; all if it is empty.
    pub only: Vec<String>,
    pub resume: bool,
    /// Where the members keep their files.
    pub dir: PathBuf,
    pub figures: PathBuf,
}

/// Measures. `Err`: it cannot begin.
pub fn run(run: &Run) -> Result<(), String> {
    let is_chosen = |group: &str| run.only.is_empty() || run.only.iter().any(|only| only == group);
    if let Some(unknown) = run.only.iter().find(|only| GROUPS.iter().all(|(name, _)| name != only))
    {
        return Err(format!("there is no group {unknown}"));
    }
    std::fs::create_dir_all(&run.dir).map_err(|error| format!("{}: {error}", run.dir.display()))?;
    let binary = build_command()?;
    let file = File::new(&run.figures);
    let failed =
        |figure: &Figure| figure.note.as_deref().is_some_and(|note| note.starts_with("failed"));
    if run.resume {
        let steps: Vec<String> = file.read().into_iter().filter(failed).map(|f| f.step).collect();
        file.keep(|figure| !steps.contains(&figure.step) || figure.group == "machine");
    } else {
        file.keep(|figure| {
            let group = if figure.group == "machine" { &figure.case } else { &figure.group };
            !is_chosen(group)
        });
    }
    let have = file.read();
    let mut todo: Vec<Step> = Vec::new();
    for (group, _) in GROUPS.iter().filter(|(group, _)| is_chosen(group)) {
        let found = steps(group, run.scale);
        let before = have.iter().any(|figure| figure.group == "machine" && figure.case == *group);
        if !found.is_empty() && !before {
            file.append(&machine::describe(group, run.scale, &run.dir));
        }
        todo.extend(found);
    }
    todo.retain(|step| !have.iter().any(|figure| figure.step == step.id()));
    let (mut left, count) = (todo.iter().map(|step| step.expected).sum::<Duration>(), todo.len());
    println!("{count} steps, about {} min", left.as_secs().div_ceil(60));
    for (n, step) in todo.iter().enumerate() {
        let figures = measure(step, &binary, &run.dir);
        left = left.saturating_sub(step.expected);
        for mut figure in figures {
            figure.group = step.group.to_owned();
            if figure.case.is_empty() {
                figure.case.clone_from(&step.case);
            }
            if figure.member.is_empty() {
                figure.member.clone_from(&step.member);
            }
            figure.round += step.round;
            figure.quick = run.scale.quick;
            figure.step = step.id();
            let minutes = left.as_secs().div_ceil(60);
            println!("[{}/{count}, {minutes} min left] {}", n + 1, machine::line(&figure));
            file.append(&figure);
        }
    }
    Ok(())
}

/// The command in its release build, as its users have it.
fn build_command() -> Result<PathBuf, String> {
    if let Some(binary) = std::env::var_os(BINARY) {
        return Ok(binary.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    println!("building the command");
    let status = Command::new("cargo")
        .args(["build", "--release", "--locked", "--bin", "strongroom"])
        .current_dir(&root)
        .env_remove("CARGO_TARGET_DIR")
        .status();
    match status {
        Ok(status) if status.success() => Ok(root.join("target/release/strongroom")),
        _ => Err(format!("the command cannot be built; {BINARY} names one that is built")),
    }
}

fn noted(note: String) -> Vec<Figure> {
    vec![Figure { note: Some(note), ..Figure::default() }]
}

/// Runs one step in a folder of its own.
fn measure(step: &Step, binary: &Path, dir: &Path) -> Vec<Figure> {
    if let Some(why) = members::missing(&step.member) {
        return noted(format!("skipped: {why}"));
    }
    let Ok(folder) = tempfile::tempdir_in(dir) else {
        return noted(format!("failed: no folder in {}", dir.display()));
    };
    // What earlier steps have written and removed is no part of this one.
    // SAFETY: it takes no arguments.
    unsafe { libc::sync() };
    let program = std::env::current_exe().expect("the program has a path");
    let child = Command::new(program)
        .args(["job", &step.job.to_string()])
        .arg(folder.path())
        .env(BINARY, binary)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match child.map(|child| finish(child, step.limit)) {
        Ok(Ok(lines)) => lines
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .map(|line| Figure::from_json(&line))
            .collect(),
        Ok(Err(why)) => noted(format!("failed: {why}")),
        Err(error) => noted(format!("failed: {error}")),
    }
}

/// What the child printed, or why it has failed. Nothing of it is left.
fn finish(mut child: Child, limit: Duration) -> Result<String, String> {
    fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }
    let output = child.stdout.take().map(reader);
    let errors = child.stderr.take().map(reader);
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if begun.elapsed() < limit => std::thread::sleep(Duration::from_millis(10)),
            _ => break None,
        }
    };
    // SAFETY: the group is the child's own; whatever it has started ends with it.
    unsafe { libc::kill(-(child.id() as i32), libc::SIGKILL) };
    let _ = child.wait();
    let text = |reader: Option<std::thread::JoinHandle<String>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    let (output, errors) = (text(output), text(errors));
    match status {
        Some(status) if status.success() => Ok(output),
        Some(status) => {
            let last: Vec<&str> = errors.lines().rev().take(3).collect();
            Err(format!("{status}: {}", last.into_iter().rev().collect::<Vec<_>>().join(" / ")))
        }
        None => Err(format!("it took longer than {} s", limit.as_secs())),
    }
}
