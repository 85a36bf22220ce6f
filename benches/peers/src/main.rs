//! Strongroom beside the limit of the same disk, and beside other stores that do the same work.
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- run     # measures, then draws
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- draw    # draws again from the figures
//! ```
//!
//! `figures.jsonl` has the raw figures; `docs/PERFORMANCE.md` and `docs/performance` are drawn from them. Run it
//! at the root of the repository, whose build flags hold for all members.
//!
//! | file | what is in it |
//! |---|---|
//! | `plan.rs`, `run.rs` | the steps of a run, each a child process |
//! | `jobs`, `http` | what a child measures |
//! | `members`, `work.rs` | the stores, and the work that all do for a put |
//! | `group_commit.rs`, `bare_log.rs` | what a limit is made of |
//! | `measure.rs`, `threads.rs`, `files.rs` | counters of the process, of single threads, of files |
//! | `slow_sync.rs` | the slower disk |
//! | `figures.rs`, `machine.rs` | the file of figures |
//! | `draw` | tables, plots, and what we are slower at |

// The rules of the crate keep files and the clock in one place; a benchmark needs both everywhere.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod bare_log;
mod draw;
mod figures;
mod files;
mod group_commit;
mod http;
mod jobs;
mod machine;
mod measure;
mod members;
mod plan;
mod run;
mod slow_sync;
mod threads;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
run [OPTIONS]      measures, then draws
  --quick          ten minutes; its figures only show that the command works
  --only A,B       only these groups; the figures of the others stay
  --resume         goes on where a run was stopped, and measures again what failed
  --rounds N       5 by default, 1 with --quick
  --dir DIR        where the members keep their files (default: the folder for temporary files)
draw               draws docs/PERFORMANCE.md again from the figures
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let figures = root.join("figures.jsonl");
    match arguments.first().map(String::as_str) {
        Some("run") => {
            let outcome = options(&arguments[1..], &figures).and_then(|run| run::run(&run));
            let failures = match outcome {
                Ok(failures) => failures,
                Err(why) => {
                    eprintln!("{why}");
                    return ExitCode::FAILURE;
                }
            };
            draw::draw(&figures, &root.join("../../docs"));
            if failures > 0 {
                eprintln!("{failures} steps have failed; `run --resume` measures them again");
                return ExitCode::FAILURE;
            }
        }
        Some("draw") => draw::draw(&figures, &root.join("../../docs")),
        Some("job") => jobs::run(&arguments[1], Path::new(&arguments[2])),
        Some("bare-server") => http::bare::serve(arguments.get(1).map(Path::new)),
        _ => {
            println!("{HELP}\nGroups:");
            plan::GROUPS.iter().for_each(|(group, what)| println!("  {group:<16} {what}"));
        }
    }
    ExitCode::SUCCESS
}

fn options(arguments: &[String], figures: &Path) -> Result<run::Run, String> {
    let mut scale = plan::Scale { quick: false, rounds: 0 };
    let (mut only, mut resume, mut dir) = (Vec::new(), false, std::env::temp_dir());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => scale.quick = true,
            "--resume" => resume = true,
            "--only" => only = value()?.split(',').map(str::to_owned).collect(),
            "--rounds" => scale.rounds = value()?.parse().map_err(|_| "--rounds needs a number")?,
            "--dir" => dir = PathBuf::from(value()?),
            other => return Err(format!("unknown option {other}\n\n{HELP}")),
        }
    }
    if scale.rounds == 0 {
        scale.rounds = if scale.quick { 1 } else { 5 };
    }
    Ok(run::Run { scale, only, resume, dir, figures: figures.to_path_buf() })
}
