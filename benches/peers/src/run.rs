//! Runs the steps: a child process and a new folder for each, with a time limit. Each figure is written at
//! once, so `run --resume` goes on where a run was stopped.

use crate::figures::{Figure, File};
use crate::http::server::BINARY;
use crate::machine::{self, Load};
use crate::measure::{PROGRESS, ends_with_us};
use crate::members;
use crate::plan::{GROUPS, Scale, Step, steps};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
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

/// Measures, and says how many steps have failed. `Err`: it cannot begin, or was stopped.
pub fn run(run: &Run) -> Result<usize, String> {
    let is_chosen = |group: &str| run.only.is_empty() || run.only.iter().any(|only| only == group);
    if let Some(unknown) = run.only.iter().find(|only| GROUPS.iter().all(|(name, _)| name != only))
    {
        return Err(format!("there is no group {unknown}"));
    }
    std::fs::create_dir_all(&run.dir).map_err(|error| format!("{}: {error}", run.dir.display()))?;
    let binary = build_command()?;
    let file = File::new(&run.figures);
    let mut groups: Vec<(Vec<Step>, Figure)> = Vec::new();
    for (group, _) in GROUPS.iter().filter(|(group, _)| is_chosen(group)) {
        let found = steps(group, run.scale);
        if !found.is_empty() {
            groups.push((found, machine::describe(group, run.scale, &run.dir)));
        }
    }
    let failed =
        |figure: &Figure| figure.note.as_deref().is_some_and(|note| note.starts_with("failed"));
    if run.resume {
        let have = file.read();
        let mut before = have.iter().filter(|figure| figure.group == "machine");
        if let Some(other) = before.find(|f| groups.iter().any(|(_, now)| !continues(now, f))) {
            return Err(format!(
                "the figures of the group {} are not of this run: its commit, --quick or --rounds \
                 differ; leave it out by --only, or measure it anew without --resume",
                other.case
            ));
        }
        let steps: Vec<String> = file.read().into_iter().filter(failed).map(|f| f.step).collect();
        file.keep(|figure| !steps.contains(&figure.step) || figure.group == "machine");
    } else {
        file.keep(|figure| {
            let group = if figure.group == "machine" { &figure.case } else { &figure.group };
            !is_chosen(group)
        });
    }
    let have = file.read();
    let is_described = |machine: &Figure| {
        have.iter().any(|figure| figure.group == "machine" && figure.case == machine.case)
    };
    let (mut todo, mut machines): (Vec<Step>, Vec<Figure>) = Default::default();
    for (steps, machine) in groups {
        if !is_described(&machine) {
            machines.push(machine);
        }
        todo.extend(steps);
    }
    todo.retain(|step| !have.iter().any(|figure| figure.step == step.id()));
    hear_signals();
    let (mut left, count) = (todo.iter().map(|step| step.expected).sum::<Duration>(), todo.len());
    eprintln!("{count} steps, about {} min", left.as_secs().div_ceil(60));
    let mut failures = 0;
    for (n, step) in todo.iter().enumerate() {
        // The description of a group stands before its first figure, with the time of that.
        if let Some(at) = machines.iter().position(|machine| machine.case == step.group) {
            file.append(&machine::at_present(machines.remove(at)));
        }
        let load = Load::now();
        let figures = measure(step, &binary, &run.dir);
        if STOPPED.load(Ordering::Relaxed) {
            return Err("stopped; `run --resume` with the same options goes on".to_owned());
        }
        let others = load.share_of_others();
        left = left.saturating_sub(step.expected);
        for mut figure in figures {
            figure.group = step.group.to_owned();
            if figure.case.is_empty() {
                figure.case.clone_from(&step.case);
            }
            if figure.member.is_empty() {
                figure.member.clone_from(&step.member);
            }
            if figure.note.is_none() {
                figure.values.insert("others_share".to_owned(), others);
            }
            figure.round += step.round;
            figure.quick = run.scale.quick;
            figure.step = step.id();
            let minutes = left.as_secs().div_ceil(60);
            eprintln!("[{}/{count}, {minutes} min left] {}", n + 1, machine::line(&figure));
            failures += usize::from(failed(&figure));
            file.append(&figure);
        }
    }
    Ok(failures)
}

/// Whether figures that stand below this description go on below that one.
fn continues(now: &Figure, before: &Figure) -> bool {
    let text = |figure: &Figure, name: &str| {
        figure.texts.iter().find(|(found, _)| found == name).map(|(_, text)| text.clone())
    };
    let same = |name: &str| text(now, name) == text(before, name);
    now.case != before.case || now.quick == before.quick && same("commit") && same("rounds")
}

/// Somebody has asked to stop. A child is in a group of its own, which a terminal does not reach.
static STOPPED: AtomicBool = AtomicBool::new(false);

extern "C" fn stop(_: libc::c_int) {
    STOPPED.store(true, Ordering::Relaxed);
}

fn hear_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler only sets a flag.
        unsafe { libc::signal(signal, stop as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    }
}

/// The command in its release build, as its users have it.
fn build_command() -> Result<PathBuf, String> {
    if let Some(binary) = std::env::var_os(BINARY) {
        return Ok(binary.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    eprintln!("building the command");
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
    let mut command = Command::new(program);
    ends_with_us(&mut command);
    let child = command
        .args(["job", &step.job.to_string()])
        .arg(folder.path())
        .env(BINARY, binary)
        // Its reason to end is to stand in few lines.
        .env("RUST_BACKTRACE", "0")
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

/// Prints how far a child has come, and returns what else it says on standard error.
fn pass_on(pipe: impl Read) -> String {
    let mut rest = String::new();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        match line.strip_prefix(PROGRESS) {
            Some(progress) => eprintln!("    {progress}"),
            None => rest.extend([&line, "\n"]),
        }
    }
    rest
}

/// What the child printed, or why it has failed. Nothing of it is left.
fn finish(mut child: Child, limit: Duration) -> Result<String, String> {
    let output = child.stdout.take().map(|mut pipe| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    });
    let errors = child.stderr.take().map(|pipe| std::thread::spawn(move || pass_on(pipe)));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if begun.elapsed() < limit && !STOPPED.load(Ordering::Relaxed) => {
                std::thread::sleep(Duration::from_millis(10))
            }
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
            // The first panic is the reason; others follow from it.
            let mut said: Vec<&str> = errors.lines().filter(|line| !line.is_empty()).collect();
            let first = said.iter().position(|line| line.contains(" panicked at "));
            said.drain(..first.unwrap_or(said.len().saturating_sub(3)));
            said.truncate(3);
            Err(format!("{status}: {}", said.join(" / ")))
        }
        None => Err(format!("it took longer than {} s", limit.as_secs())),
    }
}
