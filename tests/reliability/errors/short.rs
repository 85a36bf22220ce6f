//! Interrupted and short calls are not errors: below the real file system, every call that may be short or
//! interrupted is, and the vault works as usual.

use crate::common::world::{self, Setup};
use crate::common::{child, child_task};
use crate::figures;
use std::path::{Path, PathBuf};
use std::process::Command;
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::__internals::secret::SecretValue;

const NAME: &str = "errors::short::interrupted_and_short_calls_are_gone_on_with";
const PUTS: usize = 60;

/// Goes between the program and the C library: of every three calls one is interrupted and one does
/// half of what it was asked for. Counts go to the file that the environment names.
const PRELOAD: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>
static unsigned long calls, interrupted, shortened;
static int due(void) { return __sync_add_and_fetch(&calls, 1) % 3; }
static int interrupt(void) { __sync_add_and_fetch(&interrupted, 1); errno = EINTR; return -1; }
static size_t half(size_t n) {
    if (n < 2) return n;
    __sync_add_and_fetch(&shortened, 1);
    return n / 2;
}
#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) {
    REAL(pwrite64);
    int what = due();
    if (what == 0) return interrupt();
    return real(fd, from, what == 1 ? half(n) : n, at);
}
ssize_t pread64(int fd, void *to, size_t n, off64_t at) {
    REAL(pread64);
    int what = due();
    if (what == 0) return interrupt();
    return real(fd, to, what == 1 ? half(n) : n, at);
}
int fdatasync(int fd) { REAL(fdatasync); return due() == 0 ? interrupt() : real(fd); }
int fsync(int fd) { REAL(fsync); return due() == 0 ? interrupt() : real(fd); }
__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("SHORT_COUNTS");
    FILE *file = path ? fopen(path, "w") : 0;
    if (!file) return;
    fprintf(file, "%lu %lu", interrupted, shortened);
    fclose(file);
}
"#;

fn name(n: usize) -> String {
    format!("secret-{}", n % 7)
}

fn value(n: usize) -> String {
    format!("{n:0>900}")
}

/// What the child does: make a vault, fill it, close it, open it again, read.
fn work(dir: &Path, key_path: &Path) {
    let setup = Setup { segment_bytes: (32 << 10, 64 << 10), ..Setup::usual() };
    let vault = world::create_in(dir, key_path, &setup).unwrap();
    for n in 0..PUTS {
        if n < 7 {
            let mut request = CreateSecret::new(name(n));
            request.value = Some(SecretValue::text(value(n)));
            vault.create_secret(request).unwrap();
        } else {
            let request = PutSecretValue::new(name(n), SecretValue::text(value(n)));
            vault.put_secret_value(request).unwrap();
        }
    }
    vault.maintain().unwrap();
    vault.close().unwrap();
    read(dir, key_path);
}

fn read(dir: &Path, key_path: &Path) {
    let vault = world::open_in(dir, &world::key_of(key_path), &Setup::usual()).unwrap();
    for n in PUTS - 7..PUTS {
        let got = vault.get_secret_value(GetSecretValue::new(name(n))).unwrap();
        assert_eq!(got.value.bytes().expose(), value(n).as_bytes());
    }
    vault.close().unwrap();
    assert!(world::check_in(dir, &world::key_of(key_path)).unwrap().damage.is_empty());
}

#[test]
fn interrupted_and_short_calls_are_gone_on_with() {
    if let Some(task) = child_task() {
        let base = PathBuf::from(task);
        work(&base.join("vault"), &base.join("key"));
        return;
    }
    let base = tempfile::tempdir().unwrap();
    let (source, library) = (base.path().join("short.c"), base.path().join("short.so"));
    std::fs::write(&source, PRELOAD).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    if !built.is_ok_and(|status| status.success()) {
        println!("SKIP: no C compiler");
        return;
    }
    let counts = base.path().join("counts");
    let status = child(NAME, base.path().to_str().unwrap())
        .env("LD_PRELOAD", &library)
        .env("SHORT_COUNTS", &counts)
        .status()
        .unwrap();
    assert!(status.success());
    let counts = std::fs::read_to_string(&counts).unwrap();
    let counts: Vec<u64> = counts.split(' ').map(|count| count.parse().unwrap()).collect();
    assert!(counts[0] > 200 && counts[1] > 100, "{counts:?}");
    read(&base.path().join("vault"), &base.path().join("key"));
    let counted = [("interrupted calls", counts[0]), ("calls cut short", counts[1])];
    figures::tell("short calls", &(0..1), &counted);
}
