//! Operations on several records are atomic, after a power cut at any disk call and for concurrent
//! readers.

use super::world::{Loss, Setup, World};
use strongroom::__internals::error::Result;
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::{DescribeSecret, UpdateSecret};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

/// One operation, applied after the previous ones.
pub type Operation = fn(&Vault) -> Result<()>;

/// Cuts the power at every disk call of `steps`, with each kind of loss of unsynced changes. After the
/// next open, `seen` must return the state before or after the interrupted operation.
pub fn cut_everywhere(seed: u64, steps: &[Operation], seen: fn(&Vault) -> String) {
    let setup = Setup::default();
    // The states between the operations.
    let world = World::new(seed);
    let vault = world.create(&setup).unwrap();
    let mut states = vec![seen(&vault)];
    let first = world.calls();
    for step in steps {
        step(&vault).unwrap();
        states.push(seen(&vault));
    }
    let last = world.calls();
    drop(vault);
    let mut cuts = 0;
    for cut in first + 1..=last {
        for loss in [Loss::Dropped, Loss::Kept, Loss::Torn] {
            let world = World::new(seed);
            let vault = world.create(&setup).unwrap();
            world.crash_at(cut);
            let mut done = 0;
            for step in steps {
                if step(&vault).is_err() {
                    break;
                }
                let _ = seen(&vault);
                done += 1;
            }
            drop(vault);
            world.restart(cut, loss);
            assert_eq!(world.check().unwrap().damage, Vec::<String>::new(), "cut {cut} {loss:?}");
            let vault = world.open(&setup).unwrap();
            let now = seen(&vault);
            let legal = &states[done..usize::min(done + 2, states.len())];
            assert!(legal.contains(&now), "cut {cut} {loss:?} after {done}: {now}\n{legal:#?}");
            cuts += 1;
        }
    }
    println!("{cuts} power cuts");
}

/// Changes description and value of `primary` together, `times` times. Concurrent readers of `replica`
/// must see both from the same operation. The primary is in the default account and region.
pub fn never_half(vault: &Vault, primary: &str, (scope, replica): (&Scope, &str), times: u32) {
    let update = |number: u32| {
        let mut request = UpdateSecret::new(primary);
        request.client_request_token = Some(format!("{number:0>40}"));
        request.description = Some(number.to_string());
        request.value = Some(SecretValue::text(number.to_string()));
        vault.update_secret(request).unwrap();
    };
    update(1);
    std::thread::scope(|threads| {
        threads.spawn(|| (2..=times).for_each(update));
        for _ in 0..2 {
            threads.spawn(|| {
                loop {
                    let shown = vault
                        .in_scope(scope)
                        .describe_secret(DescribeSecret::new(replica))
                        .unwrap();
                    let is_current =
                        |(_, stages): &&(_, Vec<String>)| stages.contains(&"AWSCURRENT".into());
                    let current = shown.versions_to_stages.iter().find(is_current).unwrap();
                    let number = shown.description.unwrap();
                    let current = current.0.as_str().trim_start_matches('0');
                    assert_eq!(current, number, "half an operation");
                    if number == times.to_string() {
                        break;
                    }
                }
            });
        }
    });
}
