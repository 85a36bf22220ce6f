//! A slower disk for every member alike: each sync of this process waits first.
//!
//! A seccomp filter reports the calls that make bytes durable to a thread that the filter does not hold; that
//! thread lets each go on after the delay. So it makes no difference whether a member calls libc, makes the
//! system call by itself, or is C++ in a shared library, which a preloaded library would miss. The calls are
//! `fsync`, `fdatasync`, `syncfs`, `sync`, `msync` with `MS_SYNC`, `sync_file_range` that waits, `pwritev2` with
//! `RWF_DSYNC` or `RWF_SYNC`, and a short `pwrite` to the first pages of a file that was opened with
//! `O_DSYNC`, as LMDB writes its meta page. The delays of calls at the same time overlap.

use std::io;
use std::os::fd::RawFd;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// LMDB's two meta pages, and more than is written to one of them.
const META_PAGES: u32 = 2 * 4096;
const META_BYTES: u32 = 512;

fn code(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

/// Loads the low half of an argument; the high half is four bytes on.
fn argument(n: u32) -> libc::sock_filter {
    code(WORD, 16 + 8 * n, 0, 0)
}

/// The filter: a block for each call, which ends with a verdict of its own.
fn filter() -> Vec<libc::sock_filter> {
    let report = || code(RETURN, libc::SECCOMP_RET_USER_NOTIF, 0, 0);
    let allow = || code(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0);
    let mut program = vec![code(WORD, 0, 0, 0)];
    for call in [libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_syncfs, libc::SYS_sync] {
        program.extend([code(EQUAL, call as u32, 0, 1), report()]);
    }
    let flags = [
        (libc::SYS_msync, 2, libc::MS_SYNC as u32),
        (libc::SYS_sync_file_range, 3, libc::SYNC_FILE_RANGE_WAIT_AFTER),
        (libc::SYS_pwritev2, 5, (libc::RWF_DSYNC | libc::RWF_SYNC) as u32),
    ];
    for (call, at, bits) in flags {
        program.extend([
            code(EQUAL, call as u32, 0, 4),
            argument(at),
            code(ANY_BIT, bits, 0, 1),
            report(),
            allow(),
        ]);
    }
    let high = code(WORD, 16 + 8 * 3 + 4, 0, 0);
    program.extend([
        code(EQUAL, libc::SYS_pwrite64 as u32, 0, 8),
        high,
        code(EQUAL, 0, 0, 5),
        argument(3),
        code(AT_LEAST, META_PAGES, 3, 0),
        argument(2),
        code(AT_LEAST, META_BYTES, 1, 0),
        report(),
        allow(),
    ]);
    program.push(allow());
    program
}

/// Runs `work` in a thread, and whatever threads it starts, with slow syncs.
pub fn with_delay<T: Send + 'static>(
    delay: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    if delay.is_zero() {
        return Ok(work());
    }
    let (listener, listens) = channel();
    std::thread::spawn(move || supervise(&listens, delay));
    let worker = std::thread::spawn(move || {
        let fd = install().map_err(|error| format!("no seccomp filter: {error}"))?;
        listener.send(fd).map_err(|_| "the delaying thread has ended".to_owned())?;
        Ok(work())
    });
    // A panic of the member is a failure of the job, with a delay or without.
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// From here on this thread, and what it starts, is under the filter.
fn install() -> io::Result<RawFd> {
    let mut code = filter();
    let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_mut_ptr() };
    // SAFETY: the program and its code live until the kernel has copied them.
    let fd = unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(fd as RawFd) }
}

/// `_IOWR('!', number, size)`.
fn request(number: u64, size: usize) -> libc::Ioctl {
    (3 << 30 | (size as u64) << 16 | u64::from(b'!') << 8 | number) as libc::Ioctl
}

/// Lets each reported call go on when its time has come.
fn supervise(listens: &Receiver<RawFd>, delay: Duration) {
    let Ok(fd) = listens.recv() else { return };
    // SAFETY: without slack a wait ends when it should.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0) };
    let mut held: std::collections::VecDeque<(Instant, u64)> = std::collections::VecDeque::new();
    loop {
        let now = Instant::now();
        while held.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, id)) = held.pop_front() {
                go_on(fd, id);
            }
        }
        let wait = held.front().map(|(due, _)| due.saturating_duration_since(now));
        if reported(fd, wait) {
            let Some((id, waits)) = receive(fd) else { continue };
            if waits {
                held.push_back((Instant::now() + delay, id));
            } else {
                go_on(fd, id);
            }
        }
    }
}

/// Waits for a report, at most so long.
fn reported(fd: RawFd, wait: Option<Duration>) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let time = wait.map(|wait| libc::timespec {
        tv_sec: wait.as_secs() as libc::time_t,
        tv_nsec: i64::from(wait.subsec_nanos()),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: both point to values that outlive the call.
    unsafe { libc::ppoll(&raw mut poll, 1, time, std::ptr::null()) > 0 }
}

/// The next report, and whether its call is to wait.
fn receive(fd: RawFd) -> Option<(u64, bool)> {
    // SAFETY: the kernel wants a zeroed `seccomp_notif` and fills it.
    let notice = unsafe {
        let mut notice: libc::seccomp_notif = std::mem::zeroed();
        let size = size_of::<libc::seccomp_notif>();
        if libc::ioctl(fd, request(0, size), &raw mut notice) != 0 {
            return None;
        }
        notice
    };
    let is_write = i64::from(notice.data.nr) == libc::SYS_pwrite64;
    Some((notice.id, !is_write || is_synchronous(notice.data.args[0])))
}

/// Whether writes to this file are durable when they return.
fn is_synchronous(fd: u64) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & libc::O_DSYNC != 0)
}

fn go_on(fd: RawFd, id: u64) {
    let flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
    let mut answer = libc::seccomp_notif_resp { id, val: 0, error: 0, flags };
    // SAFETY: the kernel only reads the answer. A caller that has ended meanwhile is no error here.
    unsafe { libc::ioctl(fd, request(1, size_of::<libc::seccomp_notif_resp>()), &raw mut answer) };
}
