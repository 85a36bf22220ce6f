//! Arguments; and, in `days`, a schedule by each kind of function.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod days;

use super::functions::{Target, lines, parse};
use super::*;
use crate::cli::testing::context;

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

fn target(text: &str) -> Option<Target> {
    parse(&format!("{ARN}={text}")).ok().map(|(arn, target)| {
        assert_eq!(arn, ARN);
        target
    })
}

#[test]
fn three_kinds_of_functions_can_be_named() {
    assert_eq!(target("exec:/bin/x=y"), Some(Target::Exec("/bin/x=y".into())));
    assert_eq!(target("random"), Some(Target::Random(32)));
    assert_eq!(target("random:20"), Some(Target::Random(20)));
    assert!(matches!(target("http://127.0.0.1:9/a?b=c"), Some(Target::Http(_))));
    for odd in ["", "exec:x", "exec:", "random:0", "random:9999", "random:x", "https://h/", "x"] {
        assert_eq!(target(odd), None, "{odd}");
    }
    assert!(parse("=random").is_err());
    let told = parse(&format!("{ARN}=https://user:hunter2@host/")).unwrap_err();
    assert!(!told.message.contains("hunter2"), "{}", told.message);
}

#[test]
fn an_argument_that_maps_nothing_is_a_file_of_lines() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("functions");
    std::fs::write(&path, format!("# mine\n\n  {ARN}=random:5\nb=exec:/x\n")).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let read = lines(&[path.clone(), "c=random".into()]).unwrap();
    assert_eq!(read, [format!("{ARN}=random:5"), "b=exec:/x".into(), "c=random".into()]);
    let cell = CallerCell::default();
    let found = functions(&context(&[]), &[path], &cell).unwrap();
    assert_eq!(format!("{found:?}"), format!("{{{ARN:?}, \"b\"}}"));
    assert!(functions(&context(&[]), &["/nowhere".into()], &cell).is_err());
}
