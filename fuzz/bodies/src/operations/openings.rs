//! The vaults from which sequences start. Each thread creates them once; each run gets a copy of the disk.

use super::draw::{ACCOUNTS, NAMES};
use super::machine::{Key, Machine};
use super::run::{Run, Strange};
use super::step::{Ask, Call, Kin, Step, Who};
use crate::dump::text;
use crate::env::sim::SimFs;
use crate::model::{Id, Model, PolicyText, Req, Value};
use std::cell::RefCell;
use std::rc::Rc;
use strongroom::__internals::env::faults;

/// A closed vault, and everything that is known about it.
struct Opening {
    fs: SimFs,
    wall: i64,
    key: Key,
    models: [Model; 2],
    strange: Strange,
}

thread_local! {
    static OPENINGS: RefCell<[Option<Rc<Opening>>; 8]> = RefCell::default();
}

/// A run that starts from the opening with this number.
pub(super) fn start(number: u8, seed: u64) -> Result<Run, String> {
    let at = usize::from(number % 8);
    let known = OPENINGS.with_borrow(|openings| openings[at].clone());
    let opening = match known {
        Some(opening) => opening,
        None => {
            let made = Rc::new(soundly(|| make(number % 8))?);
            OPENINGS.with_borrow_mut(|openings| openings[at] = Some(Rc::clone(&made)));
            made
        }
    };
    let machine = Machine::on(&opening.fs, opening.wall, seed);
    let (models, strange) = (opening.models.clone(), opening.strange.clone());
    let mut run = Run::new(machine, opening.key.clone(), models, strange);
    let vault = run.machine.open(None, &opening.key).map_err(|error| text(&error))?;
    run.vault = Some(vault);
    Ok(run)
}

/// Runs without the fault that may be active in this thread. A sequence has to find it.
fn soundly<T>(make: impl FnOnce() -> T) -> T {
    let fault = faults::of_thread();
    faults::for_thread(None);
    let made = make();
    faults::for_thread(fault);
    made
}

fn make(number: u8) -> Result<Opening, String> {
    let machine = Machine::new(u64::from(number));
    let (vault, key) = machine.create().map_err(|error| text(&error))?;
    let models = ACCOUNTS.map(|account| Model::new(account, machine.wall()));
    let mut run = Run::new(machine, key, models, Strange::new());
    run.vault = Some(vault);
    for step in steps(number) {
        run.step(&step)?;
    }
    run.holds()?;
    run.vault.take().unwrap().close().map_err(|error| text(&error))?;
    let (fs, wall) = (run.machine.sim.fs.fork(), run.machine.wall());
    Ok(Opening { fs, wall, key: run.key, models: run.models, strange: run.strange })
}

const HERE: Who = Who { account: 0, region: 0 };
const THERE: Who = Who { account: 0, region: 1 };
const OTHER: Who = Who { account: 1, region: 0 };
const HOURS: i64 = 3_600_000;

fn value(text: &str) -> Option<Value> {
    Some(Value::Text(text.as_bytes().to_vec()))
}

fn create(who: Who, name: usize, token: u8) -> Step {
    Step::Ask(
        who,
        Ask::Known(Req::Create {
            name: NAMES[name].into(),
            token: Some(super::draw::token(token)),
            value: value("one"),
            description: None,
            kms: (who == OTHER).then(|| "alias/mine".into()),
            tags: None,
        }),
    )
}

fn put(who: Who, name: usize, token: u8, stages: Option<&[&str]>) -> Step {
    let stages = stages.map(|stages| stages.iter().map(|stage| (*stage).to_owned()).collect());
    let (id, token) = (Id::Name(NAMES[name].into()), Some(super::draw::token(token)));
    Step::Ask(who, Ask::Known(Req::Put { id, token, value: value("two"), stages }))
}

fn other(who: Who, call: Call) -> Step {
    Step::Ask(who, Ask::Other(call))
}

fn steps(number: u8) -> Vec<Step> {
    let name = |name: usize| Id::Name(NAMES[name].into());
    match number {
        // Nothing.
        0 => Vec::new(),
        // Secrets with a history, in both accounts and both regions.
        1 => vec![
            create(HERE, 0, 0),
            put(HERE, 0, 1, None),
            put(HERE, 0, 2, Some(&["AWSPENDING", "blue"])),
            create(HERE, 1, 0),
            create(HERE, 2, 3),
            create(THERE, 1, 0),
            create(OTHER, 0, 0),
        ],
        // One whose labels can be moved about, and policies.
        2 => vec![
            create(HERE, 0, 0),
            put(HERE, 0, 1, None),
            put(HERE, 0, 2, None),
            put(HERE, 0, 3, Some(&["blue", "AWSPENDING"])),
            create(HERE, 1, 0),
            Step::Ask(
                HERE,
                Ask::Known(Req::PutPolicy {
                    id: name(0),
                    policy: PolicyText::Fine(0),
                    block: false,
                }),
            ),
            create(THERE, 0, 0),
        ],
        // More versions than are kept, a day old tomorrow.
        3 => vec![
            create(HERE, 0, 0),
            put(HERE, 0, 1, Some(&["blue"])),
            Step::Burst(HERE, NAMES[0].into(), 101),
            Step::Pass(12 * HOURS),
            put(HERE, 0, 2, None),
            create(HERE, 1, 3),
        ],
        // Replicas in the other region and in the other account.
        4 => vec![
            other(
                HERE,
                Call::Create {
                    name: NAMES[0].into(),
                    token: Some(super::draw::token(0)),
                    value: value("one"),
                    kin: Kin::Replicated,
                },
            ),
            put(HERE, 0, 1, None),
            create(HERE, 1, 0),
            other(
                OTHER,
                Call::Create {
                    name: NAMES[1].into(),
                    token: Some(super::draw::token(0)),
                    value: None,
                    kin: Kin::OfOtherAccount,
                },
            ),
            other(HERE, Call::Associate { id: name(1) }),
        ],
        // Scheduled ones, and one that rotates.
        _ => vec![
            create(HERE, 0, 0),
            put(HERE, 0, 1, None),
            Step::Ask(HERE, Ask::Known(Req::Delete { id: name(0), window: Some(7), force: None })),
            create(HERE, 1, 0),
            other(
                HERE,
                Call::Rotate {
                    id: name(1),
                    token: Some(super::draw::token(1)),
                    days: 1,
                    at_once: true,
                    function: Some(super::draw::FUNCTION),
                },
            ),
            create(HERE, 2, 0),
        ],
    }
}
