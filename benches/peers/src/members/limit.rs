//! Files without a store. `append` and `prealloc` write and sync each put by itself; `group` and `linger` let
//! all that wait share a sync. All but `append` write onto blocks that were written before, so that a sync
//! has no new length and no new extents to record. A get is a look into a map in memory.

use super::{LIMIT, Member};
use crate::group_commit::GroupCommit;
use crate::work::{Book, name};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// The size of a file that is written before.
const PREPARED: u64 = 64 << 20;

pub fn open(member: &str, dir: &Path, book: Arc<Book>) -> Box<dyn Member> {
    let mut log = Log::new(dir, member != "append");
    let writer = match member {
        "append" | "prealloc" => Writer::Alone(Mutex::new(log)),
        _ => {
            let commit = move |batch: Vec<Vec<u8>>| log.write(&batch.concat());
            Writer::Grouped(GroupCommit::new(member == LIMIT, commit))
        }
    };
    let memory = (0..book.secrets()).map(|secret| (name(secret), Vec::new())).collect();
    Box::new(Limit { writer, memory, book }.filled())
}

struct Limit {
    writer: Writer,
    memory: HashMap<String, Vec<u8>>,
    book: Arc<Book>,
}

enum Writer {
    Alone(Mutex<Log>),
    Grouped(GroupCommit<Vec<u8>>),
}

impl Limit {
    fn filled(mut self) -> Self {
        for secret in 0..self.book.secrets() {
            let put = self.book.put(secret);
            self.memory.insert(name(secret), put.0[0].1.clone());
        }
        self
    }
}

impl Member for Limit {
    fn put(&self, secret: usize) {
        let bytes: Vec<u8> = self.book.put(secret).bytes().collect();
        match &self.writer {
            Writer::Alone(log) => log.lock().expect("no writer panics").write(&bytes),
            Writer::Grouped(group) => group.put(bytes),
        }
    }

    fn get(&self, secret: usize) -> usize {
        self.book.open(&self.memory[&name(secret)]).len()
    }

    fn close(self: Box<Self>) {}
}

/// A file that grows, or one whose blocks are written over and over.
pub struct Log {
    file: File,
    at: u64,
    prepared: bool,
}

impl Log {
    pub fn new(dir: &Path, prepared: bool) -> Self {
        let file = File::create(dir.join("log")).expect("the log can be created");
        if prepared {
            let zeros = vec![0_u8; 1 << 20];
            for at in (0..PREPARED).step_by(zeros.len()) {
                file.write_all_at(&zeros, at).expect("the log can be prepared");
            }
            file.sync_all().expect("the log can be synced");
        }
        Self { file, at: 0, prepared }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        if self.prepared && self.at + bytes.len() as u64 > PREPARED {
            self.at = 0;
        }
        self.file.write_all_at(bytes, self.at).expect("the log can be written");
        self.file.sync_data().expect("the log can be synced");
        self.at += bytes.len() as u64;
    }
}
