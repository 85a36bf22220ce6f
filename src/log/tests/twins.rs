use super::*;
use crate::env::sim::{CutPoint, SimFs};
use std::io;

const BODY: usize = 600;

fn twin(fs: &Arc<SimFs>) -> Twin {
    Twin::new(fs.clone(), &dir(), "keystore", BODY, 1)
}

fn body(generation: u64) -> Vec<u8> {
    vec![u8::try_from(generation).unwrap(); BODY]
}

fn made() -> Arc<SimFs> {
    let fs = Arc::new(SimFs::new());
    crate::env::Fs::create_dir(fs.as_ref(), &dir()).unwrap();
    crate::env::Fs::sync_dir(fs.as_ref(), Path::new("/")).unwrap();
    twin(&fs).create(1, &body(1)).unwrap();
    fs
}

fn path(copy: &str) -> PathBuf {
    dir().join(format!("keystore.{copy}"))
}

#[test]
fn what_was_written_is_read() {
    let fs = made();
    assert!(twin(&fs).exists().unwrap());
    for generation in 2..6 {
        twin(&fs).write(generation, &body(generation)).unwrap();
        fs.crash(CrashPlan::DropAll);
        let content = twin(&fs).read().unwrap();
        assert_eq!((content.generation, content.body), (generation, body(generation)));
        assert!(!content.needs_repair);
    }
}

#[test]
fn the_other_copy_serves_only_where_the_first_is_bad() {
    let fs = made();
    let both = twin(&fs);
    both.write(2, &body(2)).unwrap();
    let old = fs.fork();
    both.write(3, &body(3)).unwrap();
    for (bad, good) in [("a", "b"), ("b", "a")] {
        let image = fs.fork();
        // One copy older: the newer wins wherever it is.
        fs.overwrite(&path(bad), 0, &old.read_all(&path(bad)).unwrap()).unwrap();
        let content = twin(&fs).read().unwrap();
        assert_eq!((content.generation, content.needs_repair), (3, true));
        // The newer one bad: the older serves.
        fs.overwrite(&path(good), 200, &[0xEE]).unwrap();
        let content = twin(&fs).read().unwrap();
        assert_eq!((content.generation, content.needs_repair), (2, true));
        twin(&fs).repair(&content).unwrap();
        assert!(!twin(&fs).read().unwrap().needs_repair);
        fs.restore(&image);
    }
}

#[test]
fn any_flipped_byte_of_one_copy_is_noticed_and_harmless() {
    let fs = made();
    let len = fs.read_all(&path("a")).unwrap().len();
    assert_eq!(len, BODY + TWIN_HEADER_BYTES);
    for copy in ["a", "b"] {
        for at in 0..len {
            let image = fs.fork();
            let byte = fs.read_all(&path(copy)).unwrap()[at];
            fs.overwrite(&path(copy), at as u64, &[byte ^ 0x10]).unwrap();
            let content = twin(&fs).read().unwrap();
            assert!(content.needs_repair && content.body == body(1), "{copy} at {at}");
            fs.restore(&image);
        }
    }
}

#[test]
fn equal_generations_that_differ_are_refused() {
    let fs = made();
    let image = fs.fork();
    twin(&fs).write(2, &body(2)).unwrap();
    let a = fs.read_all(&path("a")).unwrap();
    fs.restore(&image);
    twin(&fs).write(2, &body(9)).unwrap();
    fs.overwrite(&path("a"), 0, &a).unwrap();
    assert!(matches!(twin(&fs).read(), Err(LogError::Damaged(damage)) if damage.rule == "TWIN-5"));
}

#[test]
fn two_bad_copies_are_damage_and_none_is_too() {
    let fs = made();
    for copy in ["a", "b"] {
        fs.overwrite(&path(copy), 100, &[0xEE]).unwrap();
    }
    assert!(matches!(twin(&fs).read(), Err(LogError::Damaged(damage)) if damage.rule == "TWIN-2"));
    for copy in ["a", "b"] {
        fs.delete(&path(copy)).unwrap();
    }
    assert!(!twin(&fs).exists().unwrap());
    assert!(matches!(twin(&fs).read(), Err(LogError::Damaged(damage)) if damage.rule == "TWIN-1"));
}

#[test]
fn a_newer_format_is_named_not_repaired() {
    let fs = made();
    let newer = Twin::new(fs.clone(), &dir(), "keystore", BODY + 8, 2);
    let mut long = body(5);
    long.resize(BODY + 8, 0);
    newer.create(5, &long).unwrap();
    assert!(matches!(
        twin(&fs).read(),
        Err(LogError::NewerFormat { found: 2, known: 1, file }) if file == "keystore.a"
    ));
    assert!(twin(&fs).write(6, &body(6)).is_err());
}

/// Goal: the old or the new content is read, whatever is cut, also when the cut comes in the repair.
#[test]
fn a_power_cut_anywhere_leaves_old_or_new() {
    for cut in 1..12 {
        for seed in 0..8 {
            let fs = made();
            let both = twin(&fs);
            both.write(2, &body(2)).unwrap();
            fs.set_crash_at(fs.ops_done() + cut, CutPoint::After);
            let done = both.write(3, &body(3)).is_ok();
            fs.crash(CrashPlan::Random(seed));
            let first = twin(&fs).read().unwrap();
            assert!(first.generation == 3 || (!done && first.generation == 2));

            fs.set_crash_at(fs.ops_done() + 1 + seed, CutPoint::After);
            let _ = twin(&fs).repair(&first);
            fs.crash(CrashPlan::Random(seed + 100));
            let second = twin(&fs).read().unwrap();
            assert!(second.generation >= first.generation.min(2));
            assert_eq!(second.body, body(second.generation));
            twin(&fs).write(4, &body(4)).unwrap();
            fs.crash(CrashPlan::DropAll);
            assert_eq!(twin(&fs).read().unwrap().generation, 4);
        }
    }
}

/// A failed sync leaves the second copy in the page cache only. A new handle finds two equal copies
/// and must not begin by overwriting the one that is durable.
#[test]
fn a_copy_in_the_page_cache_is_not_believed() {
    for seed in 0..40 {
        let fs = made();
        let both = twin(&fs);
        both.write(2, &body(2)).unwrap();
        fs.fail_nth_sync(2, 1, io::ErrorKind::Other);
        assert!(both.write(3, &body(3)).is_err());
        fs.kill();
        let shown = twin(&fs).read().unwrap();
        assert_eq!((shown.generation, shown.needs_repair), (3, false));
        fs.set_crash_at(fs.ops_done() + 1 + seed % 8, CutPoint::After);
        let _ = twin(&fs).write(4, &body(4));
        fs.crash(CrashPlan::Random(seed));
        let found = twin(&fs).read().unwrap();
        assert!(found.generation >= 3, "what was shown is gone");
        assert_eq!(found.body, body(found.generation));
    }
}

#[test]
fn a_generation_never_goes_back() {
    let fs = made();
    twin(&fs).write(5, &body(5)).unwrap();
    assert!(matches!(twin(&fs).write(5, &body(6)), Err(LogError::Refused { .. })));
    assert!(matches!(twin(&fs).write(4, &body(4)), Err(LogError::Refused { .. })));
    assert!(matches!(twin(&fs).write(6, &body(6)[1..]), Err(LogError::Refused { .. })));
}

/// TWIN-8: a copy of another vault's keystore or manifest, whatever its generation.
#[test]
fn a_copy_of_another_vault_beside_ours_counts_as_bad() {
    const AT: usize = 12;
    let of = |fs: &Arc<SimFs>, vault: u8| twin(fs).of_vault(AT, [vault; 16]);
    let owned = |vault: u8, generation: u64| {
        let mut body = body(generation);
        body[AT..AT + 16].fill(vault);
        body
    };
    let (ours, theirs) = (made(), made());
    of(&ours, 1).write(5, &owned(1, 5)).unwrap();
    for generation in [2, 5, 9] {
        let other = Arc::new(theirs.fork());
        twin(&other).write(generation, &owned(2, generation)).unwrap();
        for copy in ["a", "b"] {
            let fs = Arc::new(ours.fork());
            fs.overwrite(&path(copy), 0, &other.read_all(&path(copy)).unwrap()).unwrap();
            let content = of(&fs, 1).read().unwrap();
            assert_eq!((content.generation, content.needs_repair), (5, true));
            assert_eq!(content.body, owned(1, 5));
            assert_eq!(of(&fs, 1).faults().unwrap(), [(format!("keystore.{copy}"), "TWIN-8")]);
            of(&fs, 1).repair(&content).unwrap();
            assert!(!twin(&fs).read().unwrap().needs_repair);
        }
        // Two copies of another vault are not judged here: their body's MAC says it.
        assert_eq!(of(&other, 1).read().unwrap().generation, generation);
    }
}

/// A file that is longer than any twin's is not one, though its front is: not a byte of it is lost to
/// the reader.
#[test]
fn a_copy_that_is_longer_than_any_is_bad() {
    let fs = made();
    let longest = crate::log::files::FILE_BYTES_MAX - TWIN_HEADER_BYTES;
    let large = Twin::new(fs.clone(), &dir(), "keystore", longest, 1);
    large.create(1, &vec![3; longest]).unwrap();
    assert!(!large.read().unwrap().needs_repair);
    fs.overwrite(&path("b"), (longest + TWIN_HEADER_BYTES) as u64, &[0]).unwrap();
    assert!(large.read().unwrap().needs_repair);
    assert!(
        Twin::new(fs, &dir(), "keystore", longest + 1, 1).create(1, &vec![3; longest + 1]).is_err()
    );
}

#[test]
fn a_twin_says_its_files() {
    let fs = made();
    assert_eq!(twin(&fs).names(), ["keystore.a", "keystore.b"]);
    assert_eq!(twin(&fs).name_of(crate::log::files::Slot::B), "keystore.b");
    let other = Twin::new(fs.clone(), &dir(), "manifest", BODY, 1);
    for copy in ["a", "b"] {
        let bytes = fs.read_all(&path(copy)).unwrap();
        let to = dir().join(format!("manifest.{copy}"));
        let file = crate::env::Fs::open(fs.as_ref(), &to, crate::env::OpenMode::CreateNew).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
    }
    let Err(LogError::Damaged(damage)) = other.read() else { panic!("a keystore is no manifest") };
    assert_eq!(damage.rule, "TWIN-2");
}

#[test]
fn an_older_copy_is_a_fault() {
    let fs = made();
    assert_eq!(twin(&fs).faults().unwrap(), []);
    let old = fs.read_all(&path("a")).unwrap();
    twin(&fs).write(2, &body(2)).unwrap();
    fs.overwrite(&path("a"), 0, &old).unwrap();
    assert_eq!(twin(&fs).faults().unwrap(), [("keystore.a".to_owned(), "TWIN-4")]);
    fs.delete(&path("a")).unwrap();
    assert_eq!(twin(&fs).faults().unwrap(), [("keystore.a".to_owned(), "TWIN-1")]);
}

/// What cannot be removed or opened is not taken for what is not there.
#[test]
fn a_copy_in_the_way_is_an_error() {
    let fs = made();
    fs.add_fault(fault(OpKind::Remove, "keystore.b", 1, io::ErrorKind::PermissionDenied));
    let refused = twin(&fs).create(2, &body(2));
    assert!(matches!(refused, Err(LogError::Io { op: "remove", .. })));
    fs.delete(&path("b")).unwrap();
    crate::env::Fs::create_dir(fs.as_ref(), &path("b")).unwrap();
    assert!(matches!(twin(&fs).read(), Err(LogError::Io { op: "open", .. })));
}
