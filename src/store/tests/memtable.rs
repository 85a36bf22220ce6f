//! What a memtable promises beyond the contract of `Store`.

use super::*;
use crate::env::faults::{self, Fault};
use crate::store::{Memtable, MemtableBytes, OrderedStore, Range, Row, Span, StoreError};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Condvar, Mutex};

/// A state that can be stopped in front of a transaction, that can fail, and that notes what it was given.
#[derive(Default)]
struct Gate {
    below: OrderedStore,
    is_shut: Mutex<bool>,
    opened: Condvar,
    fails: AtomicBool,
    transactions: Mutex<Vec<(Span, usize)>>,
    waits: AtomicUsize,
}

impl Gate {
    fn pass(&self) -> Result<(), StoreError> {
        let mut is_shut = self.is_shut.lock().unwrap();
        while *is_shut {
            self.waits.fetch_add(1, Ordering::SeqCst);
            is_shut = self.opened.wait(is_shut).unwrap();
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Broken { what: "a test" });
        }
        Ok(())
    }

    fn shut(&self, is_shut: bool) {
        *self.is_shut.lock().unwrap() = is_shut;
        self.opened.notify_all();
    }
}

impl Store for &'static Gate {
    fn span(&self) -> Result<Span, StoreError> {
        self.below.span()
    }

    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, StoreError> {
        self.below.get(tree, key)
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, StoreError> {
        self.below.range(tree, range)
    }

    fn scan(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        self.below.scan(tree, visit)
    }

    fn apply(&self, sets: &[ChangeSet]) -> Result<(), StoreError> {
        self.pass()?;
        self.below.apply(sets)
    }

    fn apply_part(&self, rows: &[RowChange], span: Span) -> Result<(), StoreError> {
        self.pass()?;
        self.transactions.lock().unwrap().push((span, rows.len()));
        self.below.apply_part(rows, span)
    }

    fn checkpoint(&self) -> Result<Lsn, StoreError> {
        self.below.checkpoint()
    }

    fn disk_bytes(&self) -> u64 {
        0
    }
}

fn gate() -> &'static Gate {
    Box::leak(Box::default())
}

fn value(lsn: u64, bytes: usize) -> Vec<u8> {
    lsn.to_be_bytes().into_iter().cycle().take(bytes).collect()
}

/// One set that overwrites the same two rows and adds one of its own.
fn busy(lsn: u64) -> ChangeSet {
    let value = value(lsn, 100);
    let own = lsn.to_be_bytes();
    set(
        lsn,
        vec![
            put(Tree::Secrets, b"record", &value),
            put(Tree::Labels, b"current", &value),
            put(Tree::Versions, &own, &value),
        ],
    )
}

#[test]
fn a_transaction_has_whole_sets_and_of_each_row_the_newest() {
    let below = gate();
    let table = Memtable::over(below, MemtableBytes::of(1 << 30), false).unwrap();
    table.publish((1..=1000).map(busy).collect()).unwrap();
    assert_eq!(below.below.applied().unwrap(), Lsn(0));
    table.flush().unwrap();
    // 158 sets have two rows in common and one of their own each: 160 rows.
    let amid = Span { applied: Lsn(0), reaches: Lsn(1000) };
    let done = Span { applied: Lsn(1000), reaches: Lsn(1000) };
    let mut expected = vec![(amid, 160); 6];
    expected.push((done, 54));
    assert_eq!(*below.transactions.lock().unwrap(), expected);
    let newest = below.below.get(Tree::Secrets, b"record").unwrap();
    assert_eq!(newest.as_deref(), Some(&*value(1000, 100)));
}

/// Goal: a set larger than a transaction may be still goes down in one, alone.
#[test]
fn a_set_is_never_cut() {
    let below = gate();
    let table = Memtable::over(below, MemtableBytes::of(1 << 30), false).unwrap();
    table.publish(vec![set_of(1, 1), set_of(2, 300), set_of(3, 1)]).unwrap();
    table.flush().unwrap();
    let rows: Vec<_> = below.transactions.lock().unwrap().iter().map(|(_, rows)| *rows).collect();
    assert_eq!(rows, [1, 300, 1]);
}

#[test]
fn flushing_to_an_operation_goes_that_far() {
    let below = gate();
    let table = Memtable::over(below, MemtableBytes::of(1 << 30), false).unwrap();
    table.publish((1..=1000).map(busy).collect()).unwrap();
    table.flush_to(Lsn(255)).unwrap();
    table.publish((1001..=1100).map(busy).collect()).unwrap();
    assert_eq!(below.below.applied().unwrap(), Lsn(1000), "what waited goes down together");
    table.flush_to(Lsn(1000)).unwrap();
    assert_eq!(below.below.applied().unwrap(), Lsn(1000));
    assert_eq!(table.applied().unwrap(), Lsn(1100));
    // Nothing was published beyond: it ends all the same.
    table.flush_to(Lsn(2000)).unwrap();
    assert_eq!(below.below.applied().unwrap(), Lsn(1100));
    assert_eq!(table.waiting_bytes(), 0);
}

/// Goal: writers wait in front of a full table, and not for longer than it is full (MT4). Method: the state
/// below is shut, the table filled, and a writer waits in a thread until it is opened.
#[test]
fn writers_wait_while_the_table_is_full() {
    let below = gate();
    below.shut(true);
    let table = Memtable::over(below, MemtableBytes::of(10_000), true).unwrap();
    let mut lsn = 0;
    while table.waiting_bytes() < 10_000 {
        lsn += 1;
        table.publish(vec![busy(lsn)]).unwrap();
    }
    let (report, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            table.make_room().unwrap();
            report.send(()).unwrap();
        });
        // The flusher stands before the gate, so nobody can make room.
        while below.waits.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        assert!(heard.try_recv().is_err());
        let read = table.get(Tree::Secrets, b"record").unwrap();
        assert_eq!(read.as_deref(), Some(&*value(lsn, 100)), "readers do not wait");
        below.shut(false);
        heard.recv().unwrap();
    });
    assert!(table.waiting_bytes() < 10_000);
}

#[test]
fn writers_are_told_when_the_flusher_has_failed() {
    let below = gate();
    below.fails.store(true, Ordering::SeqCst);
    let table = Memtable::over(below, MemtableBytes::of(1000), true).unwrap();
    let outcome = (1..).try_for_each(|lsn| {
        table.make_room()?;
        table.publish(vec![busy(lsn)])
    });
    assert!(matches!(outcome, Err(StoreError::Broken { .. })));
    assert_eq!(below.below.applied().unwrap(), Lsn(0));
}

/// Goal: a flush that fails forgets nothing, so that no later one names an end that the state does not have.
#[test]
fn a_transaction_that_failed_is_tried_again() {
    let below = gate();
    let table = Memtable::over(below, MemtableBytes::of(1 << 30), false).unwrap();
    table.publish((1..=1000).map(busy).collect()).unwrap();
    below.fails.store(true, Ordering::SeqCst);
    assert!(table.flush().is_err());
    assert!(table.flush().is_err());
    assert_eq!(table.applied().unwrap(), Lsn(1000));
    below.fails.store(false, Ordering::SeqCst);
    table.flush().unwrap();
    assert_eq!(rows(&below.below), rows(&table));
    assert_eq!(rows(&table).len(), 1002);
    assert_eq!(table.waiting_bytes(), 0);
}

/// Goal: rows that are removed before they were ever flushed, and after it, are gone below, too.
#[test]
fn a_tombstone_reaches_the_state_below() {
    let run = || {
        let below = gate();
        let table = Memtable::over(below, MemtableBytes::of(1 << 30), false).unwrap();
        table.publish(vec![set(1, vec![put(Tree::Names, b"old", b"1")])]).unwrap();
        table.flush().unwrap();
        let fleeting = put(Tree::Names, b"fleeting", b"2");
        table.publish(vec![set(2, vec![gone(Tree::Names, b"old"), fleeting])]).unwrap();
        table.publish(vec![set(3, vec![gone(Tree::Names, b"fleeting")])]).unwrap();
        assert_eq!(rows(&table), []);
        table.flush().unwrap();
        rows(&below.below)
    };
    assert_eq!(run(), []);
    faults::for_thread(Some(Fault::FlushDropsTombstone));
    assert_eq!(run().len(), 1, "a build that loses tombstones is noticed");
    faults::for_thread(None);
}

/// Goal: a reader finds every row while the flusher moves them (MT3). Method: rows that are never removed are
/// read and listed all the time.
#[test]
fn rows_are_never_missing_while_they_are_flushed() {
    let table = Memtable::over(OrderedStore::new(), MemtableBytes::of(20_000), true).unwrap();
    table.publish(vec![busy(1)]).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for lsn in 2..=20_000 {
                table.apply(&[busy(lsn)]).unwrap();
            }
        });
        while !writer.is_finished() {
            let from = table.applied().unwrap();
            assert!(table.get(Tree::Versions, &from.0.to_be_bytes()).unwrap().is_some());
            let after = from.0.saturating_sub(150).to_be_bytes();
            let listed =
                table.range(Tree::Versions, Range { after: Some(&after), ..all(150) }).unwrap();
            // More may have come since.
            let least = from.0.min(150);
            assert!(listed.len() as u64 >= least, "{} of {least}", listed.len());
            let number = |(key, _): &Row| u64::from_be_bytes(key.as_ref().try_into().unwrap());
            let numbers: Vec<u64> = listed.iter().map(number).collect();
            assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{numbers:?}");
        }
    });
    let mut count = 0;
    table.scan(Tree::Versions, &mut |_, _| count += 1).unwrap();
    assert_eq!(count, 20_000);
}

/// Goal: a key longer than any row's is a bound like any other.
#[test]
fn bounds_may_be_longer_than_a_key() {
    let table = Memtable::over(OrderedStore::new(), MemtableBytes::of(1 << 30), false).unwrap();
    let (longest, next) = ([7_u8; 64], [8_u8; 64]);
    let rows = vec![put(Tree::Names, &longest, b"1"), put(Tree::Names, &next, b"2")];
    table.publish(vec![set(1, rows)]).unwrap();
    let beyond = [7_u8; 70];
    let found = table.range(Tree::Names, Range { after: Some(&beyond), ..all(9) }).unwrap();
    assert_eq!(found, [(next.into(), b"2".as_slice().into())]);
}
