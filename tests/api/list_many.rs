//! `ListSecrets` over 10,000 secrets while others create, update and delete (SEM-LIST-6): whoever
//! walks the pages meets every secret that nobody touches exactly once, in order.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::{CreateSecret, DeleteSecret, ListSecrets, UpdateSecret};
use strongroom::__internals::vault::Vault;

/// Of every ten secrets the last one is for the others to change.
const EVERY: usize = 10;
const MAKERS: usize = 16;

/// A name whose place in the alphabet has nothing to do with when it is made.
fn name(number: usize) -> String {
    format!("{:04x}/{number}", number.wrapping_mul(40_503) & 0xffff)
}

fn is_disturbed(number: usize) -> bool {
    number % EVERY == EVERY - 1
}

/// A region with secrets in it.
struct Region<'a> {
    vault: &'a Vault,
    scope: Scope,
    secrets: usize,
}

impl<'a> Region<'a> {
    /// Makes the secrets, side by side.
    fn filled(vault: &'a Vault, region: &str, secrets: usize) -> Self {
        let region = Self { vault, scope: Scope::new("000000000000", region), secrets };
        std::thread::scope(|threads| {
            for maker in 0..MAKERS {
                let region = &region;
                threads.spawn(move || {
                    (maker..secrets).step_by(MAKERS).for_each(|number| region.create(name(number)));
                });
            }
        });
        region
    }

    fn create(&self, name: String) {
        self.vault.in_scope(&self.scope).create_secret(CreateSecret::new(name)).unwrap();
    }

    fn update(&self, name: String) {
        let mut request = UpdateSecret::new(name);
        request.description = Some("changed".into());
        self.vault.in_scope(&self.scope).update_secret(request).unwrap();
    }

    fn delete(&self, name: String) {
        let force_delete_without_recovery = Some(true);
        let request =
            DeleteSecret { secret_id: name, force_delete_without_recovery, ..Default::default() };
        self.vault.in_scope(&self.scope).delete_secret(request).unwrap();
    }

    /// All names, page by page. `between` is called after each page but the last.
    fn walk(&self, request: &ListSecrets, mut between: impl FnMut()) -> Vec<String> {
        let mut request = request.clone();
        let mut names = Vec::new();
        loop {
            let page = self.vault.in_scope(&self.scope).list_secrets(request.clone()).unwrap();
            names.extend(page.secrets.into_iter().map(|entry| entry.name));
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                return names;
            }
            between();
        }
    }
}

/// What the others have done, and whether they may go on.
#[derive(Default)]
struct Others {
    steps: AtomicUsize,
    stop: AtomicBool,
}

impl Others {
    /// Creates, updates and deletes secrets, step by step, until it is stopped.
    fn disturb(&self, region: &Region<'_>) {
        let _stop = StopWhenDone(self);
        let mut updates = (0..region.secrets).filter(|number| is_disturbed(*number)).cycle();
        for step in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            // Before, between and behind all others in the alphabet.
            let passing = format!("{:04x}/passing{step}", (step * 7919) & 0xffff);
            region.create(passing.clone());
            region.update(name(updates.next().unwrap()));
            region.delete(passing);
            self.steps.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Returns when two steps have ended from here on, so that one has happened whole.
    fn wait(&self) {
        let before = self.steps.load(Ordering::SeqCst);
        while self.steps.load(Ordering::SeqCst) < before + 2 {
            assert!(!self.stop.load(Ordering::SeqCst), "the others have failed");
            std::thread::yield_now();
        }
    }
}

/// Tells the one side that the other has ended, by failing too: the test would never end otherwise.
struct StopWhenDone<'a>(&'a Others);

impl Drop for StopWhenDone<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

fn check(region: &Region<'_>, sort_by: &str, sort_order: &str) {
    let request = ListSecrets {
        max_results: Some(100),
        sort_by: Some(sort_by.into()),
        sort_order: Some(sort_order.into()),
        ..Default::default()
    };
    let undisturbed: BTreeSet<String> =
        (0..region.secrets).filter(|number| !is_disturbed(*number)).map(name).collect();
    let ours = |names: &[String]| -> Vec<String> {
        names.iter().filter(|name| undisturbed.contains(*name)).cloned().collect()
    };
    // How they stand when nobody writes.
    let expected = ours(&region.walk(&request, || ()));
    assert_eq!(expected.len(), undisturbed.len());
    let others = Others::default();
    let found = std::thread::scope(|threads| {
        let _stop = StopWhenDone(&others);
        threads.spawn(|| others.disturb(region));
        others.wait();
        region.walk(&request, || others.wait())
    });
    let (count, order) = (ours(&found).len(), format!("{sort_by} {sort_order}"));
    assert_eq!(count, expected.len(), "{order}: somebody is repeated or hidden");
    assert!(ours(&found) == expected, "{order}: out of order");
    if sort_by != "last-changed-date" {
        // A change moves nobody in these orders, so those that were changed stand once too.
        let once: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(once.len(), found.len(), "{order}: somebody is repeated");
        let all = (0..region.secrets).all(|number| once.contains(name(number).as_str()));
        assert!(all, "{order}: somebody is hidden");
    }
}

#[test]
fn ten_thousand_secrets_are_paged_while_others_write() {
    let vault = Vault::in_memory().unwrap();
    check(&Region::filled(&vault, "us-east-1", 10_000), "created-date", "asc");
    vault.close().unwrap();
}

/// In every other order a page looks at all secrets, so there are fewer.
#[test]
fn other_orders_are_paged_while_others_write() {
    let vault = Vault::in_memory().unwrap();
    let region = Region::filled(&vault, "us-east-1", 1_000);
    for sort_by in ["created-date", "name", "last-changed-date"] {
        for sort_order in ["asc", "desc"] {
            check(&region, sort_by, sort_order);
        }
    }
    vault.close().unwrap();
}
