//! Parses the output of strace into the calls that change files, in the order of their effect.
//!
//! Pitfalls: a call during which others finished is on two lines (`<unfinished ...>`, `resumed`). A `write`
//! does not state its offset. A `sync` covers the calls that returned before it began, not those that
//! returned before its end.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Made if missing, cut if asked for.
    Open {
        path: PathBuf,
        create: bool,
        cut: bool,
    },
    Mkdir {
        path: PathBuf,
    },
    Write {
        path: PathBuf,
        offset: u64,
        bytes: Vec<u8>,
    },
    SetLen {
        path: PathBuf,
        len: u64,
        /// Only ever longer, as `fallocate` does.
        grow: bool,
    },
    Sync {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    /// A file, or an empty folder.
    Remove {
        path: PathBuf,
    },
    /// Something that the process said on its standard output, or a line of HTTP that it sent.
    Said(String),
}

/// One call: when it began and when it took effect, as line numbers.
#[derive(Clone, Debug)]
pub struct Event {
    pub began: usize,
    pub at: usize,
    pub call: Call,
}

/// The calls to trace.
pub const CALLS: &str = "trace=open,openat,mkdir,mkdirat,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,\
fdatasync,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,rmdir";

/// The options of strace, the file that it writes to left out.
pub fn options() -> [&'static str; 7] {
    ["-f", "-y", "-xx", "-s", "2000000", "-e", CALLS]
}

/// Reads a whole trace; only what lies below `root` counts.
pub fn parse(text: &str, root: &Path) -> Vec<Event> {
    let mut begun: HashMap<&str, (usize, String)> = HashMap::new();
    let mut open = Open::default();
    let mut events = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(front) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(pid, (at, front.to_owned()));
            continue;
        }
        let (began, whole) = match rest.strip_prefix("<... ") {
            Some(back) => {
                let Some((_, back)) = back.split_once(" resumed>") else { continue };
                let Some((began, front)) = begun.remove(pid) else { continue };
                (began, format!("{front}{back}"))
            }
            None => (at, rest.to_owned()),
        };
        if let Some(call) = call(&whole, root, &mut open) {
            // What was said was true when it began to be said.
            let at = if matches!(call, Call::Said(_)) { began } else { at };
            events.push(Event { began, at, call });
        }
    }
    events.sort_by_key(|event| event.at);
    events
}

/// What the descriptors of the process are, by their numbers.
#[derive(Default)]
struct Open {
    cursors: HashMap<String, u64>,
    paths: HashMap<String, PathBuf>,
}

impl Open {
    /// A path that leads through a descriptor, as sled is given one.
    fn resolve(&self, path: PathBuf) -> PathBuf {
        let through = path.strip_prefix("/proc/self/fd").ok().and_then(|rest| {
            let mut parts = rest.components();
            let number = parts.next()?.as_os_str().to_str()?;
            Some(self.paths.get(number)?.join(parts.as_path()))
        });
        through.unwrap_or(path)
    }
}

fn call(line: &str, root: &Path, open: &mut Open) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let result_number: i64 = result.split(['<', ' ']).next()?.parse().ok()?;
    if result_number < 0 {
        return None;
    }
    let arguments: Vec<&str> = arguments.split(", ").collect();
    let argument = |at: usize| arguments.get(at).copied().unwrap_or_default();
    let below = |path: PathBuf| path.starts_with(root).then_some(path);
    let of_fd = |at: usize| below(described(argument(at))?);
    if matches!(name, "open" | "openat") {
        let number = result.split('<').next()?.to_owned();
        open.cursors.remove(&number);
        open.paths.insert(number, described(result)?);
    }
    let text = |at: usize| {
        below(open.resolve(PathBuf::from(String::from_utf8(bytes_of(argument(at))?).ok()?)))
    };
    Some(match name {
        "open" | "openat" => {
            let path = below(described(result)?)?;
            let flags = argument(if name == "open" { 1 } else { 2 });
            Call::Open { path, create: flags.contains("O_CREAT"), cut: flags.contains("O_TRUNC") }
        }
        "mkdir" => Call::Mkdir { path: text(0)? },
        "mkdirat" => Call::Mkdir { path: at_path(argument(0), argument(1), root)? },
        "write" | "sendto" => {
            let mut bytes = bytes_of(argument(1))?;
            bytes.truncate(usize::try_from(result_number).ok()?);
            match of_fd(0) {
                Some(path) => {
                    let cursor =
                        open.cursors.entry(argument(0).split('<').next()?.into()).or_default();
                    let offset = *cursor;
                    *cursor += bytes.len() as u64;
                    Call::Write { path, offset, bytes }
                }
                None if bytes.starts_with(b"@") || bytes.starts_with(b"HTTP/1.1 ") => {
                    Call::Said(String::from_utf8_lossy(&bytes).lines().next()?.to_owned())
                }
                None => return None,
            }
        }
        // Nothing here writes files so; an answer may be sent so.
        "writev" | "sendmsg" | "pwritev" => {
            assert!(of_fd(0).is_none(), "a call that this recorder does not know: {line}");
            let at = line.find('"')?;
            let bytes =
                bytes_of(line[at..].split_inclusive('"').take(2).collect::<String>().as_str())?;
            bytes.starts_with(b"HTTP/1.1 ").then_some(())?;
            Call::Said(String::from_utf8_lossy(&bytes).lines().next()?.to_owned())
        }
        "pwrite64" => {
            let mut bytes = bytes_of(argument(1))?;
            bytes.truncate(usize::try_from(result_number).ok()?);
            Call::Write { path: of_fd(0)?, offset: argument(3).parse().ok()?, bytes }
        }
        "ftruncate" => {
            Call::SetLen { path: of_fd(0)?, len: argument(1).parse().ok()?, grow: false }
        }
        "fallocate" => {
            let path = of_fd(0)?;
            assert_eq!(argument(1), "0", "a mode that this recorder does not know: {line}");
            let end: u64 = argument(2).parse::<u64>().ok()? + argument(3).parse::<u64>().ok()?;
            Call::SetLen { path, len: end, grow: true }
        }
        "fsync" | "fdatasync" => Call::Sync { path: of_fd(0)? },
        "rename" => Call::Rename { from: text(0)?, to: text(1)? },
        "renameat" | "renameat2" => Call::Rename {
            from: at_path(argument(0), argument(1), root)?,
            to: at_path(argument(2), argument(3), root)?,
        },
        "unlink" | "rmdir" => Call::Remove { path: text(0)? },
        "unlinkat" => Call::Remove { path: at_path(argument(0), argument(1), root)? },
        _ => return None,
    })
}

/// `name` in the folder of a descriptor.
fn at_path(descriptor: &str, name: &str, root: &Path) -> Option<PathBuf> {
    let folder = described(descriptor)?;
    let path = folder.join(String::from_utf8(bytes_of(name)?).ok()?);
    path.starts_with(root).then_some(path)
}

/// The path in `3</path>`; none for what has no name any more.
fn described(descriptor: &str) -> Option<PathBuf> {
    let (_, rest) = descriptor.split_once('<')?;
    let (path, after) = rest.rsplit_once('>')?;
    if after.contains("deleted") {
        return None;
    }
    let path = String::from_utf8(unhex(path)?).ok()?;
    path.starts_with('/').then(|| path.into())
}

fn bytes_of(argument: &str) -> Option<Vec<u8>> {
    unhex(argument.strip_prefix('"')?.strip_suffix('"')?)
}

/// `\x2f\x76`, as `-xx` prints every byte of a text.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (parts, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    parts
        .iter()
        .map(|[slash, x, high, low]| {
            let number = digit(*high)? * 16 + digit(*low)?;
            (*slash == b'\\' && *x == b'x').then_some(u8::try_from(number).ok()?)
        })
        .collect()
}

#[test]
fn a_line_in_two_parts_and_a_write_without_offset() {
    let hex = |text: &str| text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let (file, content) = (hex("/v/log"), hex("abcd"));
    let text = [
        format!(r#"7 openat(AT_FDCWD<{}>, "{file}", O_RDWR|O_CREAT, 0600) = 5<{file}>"#, hex("/")),
        format!(r#"8 fsync(5<{file}> <unfinished ...>"#),
        format!(r#"7 write(5<{file}>, "{content}", 4) = 4"#),
        format!(r#"7 write(5<{file}>, "{content}", 4) = 2"#),
        "8 <... fsync resumed>)            = 0".to_owned(),
        format!(r#"8 fsync(5<{file}>)    = -1 EIO (Input/output error)"#),
    ];
    let events = parse(&text.join("\n"), Path::new("/v"));
    let path = PathBuf::from("/v/log");
    assert_eq!(events.len(), 4);
    assert_eq!(events[2].call, Call::Write { path: path.clone(), offset: 4, bytes: b"ab".into() });
    assert_eq!((events[3].began, events[3].at), (1, 4));
    assert_eq!(events[3].call, Call::Sync { path });
}
