//! Files without a store. `append` and `prealloc` write and sync each put by itself; `group` and `linger` let
//! all that wait share a sync. All but `append` write onto blocks that were written before. A get is a look
//! into a map in memory.

use super::{LIMIT, Member};
use crate::bare_log::BareLog;
use crate::group_commit::GroupCommit;
use crate::work::{Book, Put, name};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

pub fn open(member: &str, dir: &Path, book: Arc<Book>) -> Box<dyn Member> {
    let mut log = BareLog::new(dir, member != "append");
    let mut rows = Vec::new();
    let write = move |batch: Vec<Put>| {
        rows.clear();
        batch.iter().for_each(|put| put.append_to(&mut rows));
        log.write(&rows);
    };
    let writer = match member {
        "append" | "prealloc" => Writer::Alone(Mutex::new(Box::new(write))),
        _ => Writer::Grouped(GroupCommit::new(member == LIMIT, write)),
    };
    let names: Vec<String> = (0..book.secrets()).map(name).collect();
    let value = |secret: usize| book.put(secret).0.swap_remove(0).1;
    let memory =
        names.iter().enumerate().map(|(secret, name)| (name.clone(), value(secret))).collect();
    Box::new(Limit { writer, names, memory, book })
}

struct Limit {
    writer: Writer,
    names: Vec<String>,
    memory: HashMap<String, Vec<u8>>,
    book: Arc<Book>,
}

type Write = Box<dyn FnMut(Vec<Put>) + Send>;

enum Writer {
    Alone(Mutex<Write>),
    Grouped(GroupCommit<Put>),
}

impl Member for Limit {
    fn put(&self, secret: usize) {
        let put = self.book.put(secret);
        match &self.writer {
            Writer::Alone(write) => write.lock().expect("no writer panics")(vec![put]),
            Writer::Grouped(group) => group.put(put),
        }
    }

    fn get(&self, secret: usize) -> usize {
        self.book.open(&self.memory[&self.names[secret]]).len()
    }

    fn close(self: Box<Self>) {}
}
