//! From bytes to a sequence. Each step is drawn from eight bytes of its own, so that another byte is
//! another step and the rest stays; names, tokens, labels and values come from small pools, so that
//! they meet each other.

use super::step::{Ask, Between, Call, Kin, Loss, Step, Who};
use crate::dump::{AWAY, HOME};
use crate::env::sim::{CutPoint, Reach};
use crate::model::{Filter, Id, PolicyText, Req, Value};
use arbitrary::Unstructured;
use strongroom::__internals::model::Scope;

/// Bytes of a step.
pub const STEP_BYTES: usize = 8;
/// Most steps of a sequence; what follows is left out.
pub const STEPS_MAX: usize = 40;
/// Who may ask.
pub(super) const ACCOUNTS: [&str; 2] = [Scope::DEFAULT_ACCOUNT, "111122223333"];
/// Where.
pub(super) const REGIONS: [&str; 2] = [HOME, AWAY];
/// One is a trap: it ends in a hyphen and six letters.
pub(super) const NAMES: [&str; 4] = ["alpha", "team/beta", "db-secret", "g+=@!"];
/// What all tokens that are drawn begin with: ids of versions that do not were made up by the vault.
pub(super) const TOKEN: &str = "token-";
/// The rotation function that there is.
pub(super) const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:random";
/// One that there is not.
const NO_FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:gone";
const LABELS: [&str; 6] = ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS", "blue", "green", "red"];
/// The vaults to start from, some of them more often.
const OPENINGS: [u8; 16] = [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4, 4, 4, 5, 5];
const HOUR: i64 = 3_600_000;

/// What a sequence starts from: the number of a vault that is there, and the steps.
pub struct Sequence {
    /// Which of the vaults to start from.
    pub opening: u8,
    /// Whether the disk is checked at the end, too.
    pub checks: bool,
    /// The steps.
    pub steps: Vec<Step>,
}

/// Draws a sequence. Any bytes give one.
pub fn sequence(bytes: &[u8]) -> Sequence {
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let mut chunks = rest.chunks(STEP_BYTES);
    let mut steps = Vec::new();
    while steps.len() < STEPS_MAX {
        let Some(chunk) = chunks.next() else { break };
        steps.push(Draw(Unstructured::new(chunk), false).step(&mut chunks));
    }
    Sequence { opening: OPENINGS[usize::from(first % 16)], checks: first / 16 % 8 == 0, steps }
}

/// A token of the pool.
pub(super) fn token(number: u8) -> String {
    format!("{TOKEN}{number:0>30}")
}

/// The bytes of a step, and whether its ids are names: what is asked for together must not depend on
/// an ARN that is made in between.
struct Draw<'a>(Unstructured<'a>, bool);

impl Draw<'_> {
    /// Zero once the bytes are used up.
    fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or(0)
    }

    fn who(&mut self) -> Who {
        let byte = self.byte();
        Who { account: usize::from(byte >= 226), region: usize::from(byte % 4 == 3) }
    }

    fn name(&mut self) -> String {
        NAMES[usize::from(self.byte() % 4)].into()
    }

    fn id(&mut self) -> Id {
        let byte = self.byte();
        let name = NAMES[usize::from(byte % 4)].to_owned();
        match byte / 4 % 16 {
            _ if self.1 => Id::Name(name),
            0..=9 => Id::Name(name),
            10 | 11 => Id::Arn(name),
            12 | 13 => Id::Partial(name),
            14 if byte >= 128 => Id::NameWithEnd(name),
            14 => Id::WrongEnd(name),
            _ if byte >= 192 => Id::Name("bad name?".into()),
            _ if byte >= 128 => Id::Name("nobody".into()),
            _ => Id::Elsewhere(name),
        }
    }

    fn token(&mut self) -> Option<String> {
        match self.byte() {
            255 => Some("short".into()),
            byte if byte % 8 < 7 => Some(token(byte % 8)),
            _ => None,
        }
    }

    /// A version that may well be there.
    fn version(&mut self) -> Option<String> {
        let byte = self.byte();
        [Some(0), Some(1), Some(2), Some(byte / 8 % 7), None, None][usize::from(byte) % 6]
            .map(token)
    }

    /// One of the secrets that openings have prepared for this operation.
    fn kin_id(&mut self) -> Id {
        let byte = self.byte();
        if byte >= 224 { self.id() } else { Id::Name(NAMES[usize::from(byte % 2)].into()) }
    }

    fn value(&mut self) -> Option<Value> {
        let byte = self.byte();
        let text = |text: &str| Some(Value::Text(text.as_bytes().to_vec()));
        match byte % 16 {
            0..=4 => text("one"),
            5..=8 => text("two"),
            9 | 10 => Some(Value::Binary(b"one".to_vec())),
            11 => Some(Value::Binary(vec![byte; 300])),
            12 => text(&"large".repeat(1000)),
            13 if byte > 200 => text(""),
            13 | 14 => text("three"),
            _ => None,
        }
    }

    fn text(&mut self, pool: &[Option<&str>]) -> Option<String> {
        pool[usize::from(self.byte()) % pool.len()].map(Into::into)
    }

    fn stages(&mut self) -> Option<Vec<String>> {
        let byte = self.byte();
        if byte % 4 < 2 {
            return None;
        }
        let chosen = LABELS.iter().enumerate().filter(|(at, _)| byte >> (at + 2) & 1 == 1);
        let chosen: Vec<String> = chosen.map(|(_, label)| (*label).to_owned()).collect();
        Some(if chosen.is_empty() && byte != 2 { vec!["blue".into()] } else { chosen })
    }

    fn tags(&mut self) -> Vec<(String, String)> {
        let byte = self.byte();
        let key = ["k", "env", "e"][usize::from(byte % 3)];
        let mut tags = vec![(key.to_owned(), format!("v{}", byte / 4 % 3))];
        if byte >= 128 {
            tags.push(("other".into(), "w".into()));
        }
        tags
    }

    fn policy(&mut self) -> PolicyText {
        match self.byte() {
            byte if byte % 8 < 5 => PolicyText::Fine(byte % 3),
            byte if byte % 8 < 7 => PolicyText::Open,
            _ => PolicyText::Broken,
        }
    }

    fn kin(&mut self) -> Kin {
        match self.byte() % 8 {
            0..=3 => Kin::Replicated,
            4..=6 => Kin::OfOtherAccount,
            _ => Kin::Partner,
        }
    }

    fn loss(&mut self) -> Loss {
        Loss { plan: self.byte(), at: self.byte() }
    }

    fn some_loss(&mut self) -> Option<Loss> {
        Some(self.loss()).filter(|loss| loss.plan >= 128)
    }

    fn step(&mut self, more: &mut std::slice::Chunks<'_, u8>) -> Step {
        let kind = self.byte();
        match kind {
            0..160 => Step::Ask(self.who(), self.ask(kind)),
            160..172 => {
                let (who, count) = (self.who(), 2 + usize::from(self.byte() % 3));
                let writes = more.take(count).map(|chunk| {
                    let mut draw = Draw(Unstructured::new(chunk), true);
                    let kind = draw.byte();
                    draw.byte();
                    draw.write(kind)
                });
                Step::Together(who, writes.collect())
            }
            172..178 => {
                let (who, name) = (self.who(), self.name());
                let (sealed, value) = (self.byte() % 7, self.value());
                let put = Req::Put {
                    id: Id::Name(name),
                    token: Some(token(sealed)),
                    value: Some(value.unwrap_or(Value::Text(b"late".to_vec()))),
                    stages: None,
                };
                let between = [Between::MadeAnew, Between::Shred, Between::Both];
                let between = between[usize::from(self.byte() % 3)];
                Step::Late { who, put, token: token(self.byte() % 7), between }
            }
            178..180 => {
                let (who, name) = (self.who(), self.name());
                Step::Burst(who, name, 2 + usize::from(self.byte() % 4))
            }
            180..190 => {
                let spans = [1_000, HOUR, 25 * HOUR, 25 * HOUR, 8 * 24 * HOUR, 31 * 24 * HOUR];
                Step::Pass(spans[usize::from(self.byte()) % spans.len()])
            }
            190..194 => {
                let hours = [1, -1, 24, -24, 400 * 24, -400 * 24];
                Step::Jump(hours[usize::from(self.byte()) % hours.len()])
            }
            194..204 => Step::Maintain,
            204..207 => Step::Shred,
            207..210 => Step::ChangeKey,
            210..215 => Step::Reopen,
            215..220 => Step::Kill,
            220..224 => Step::Cut(self.loss()),
            224..236 => {
                let point = if self.byte() < 128 { CutPoint::Before } else { CutPoint::After };
                Step::CutAt { calls: 1 + u64::from(self.byte() % 16), point, loss: self.loss() }
            }
            236..243 => {
                let (nth, for_ever) = (1 + u64::from(self.byte() % 3), self.byte() >= 160);
                Step::SyncFails { nth, for_ever, loss: self.some_loss() }
            }
            243..248 => {
                let (nth, full) = (1 + u64::from(self.byte() % 4), self.byte() % 2 == 1);
                let reach = match self.byte() {
                    0..100 => Reach::Nothing,
                    byte @ 100..220 => Reach::Part(usize::from(byte) * 3),
                    _ => Reach::All,
                };
                Step::WriteFails { nth, full, reach, loss: self.some_loss() }
            }
            248..250 => Step::Full(u64::from(self.byte()) * 64),
            250..253 => Step::Room,
            _ => Step::Credential { revoke: self.byte() % 2 == 1 },
        }
    }

    fn ask(&mut self, kind: u8) -> Ask {
        match kind {
            0..112 => self.write(kind),
            112..124 => Ask::Known(Req::Get {
                id: self.id(),
                version: self.version(),
                stage: self.text(&[
                    None,
                    None,
                    Some("AWSPREVIOUS"),
                    Some("blue"),
                    Some("AWSPENDING"),
                ]),
            }),
            124..127 => Ask::Known(Req::Describe { id: self.id() }),
            127..133 => Ask::Known(Req::Versions {
                id: self.id(),
                deprecated: Some(self.byte().is_multiple_of(2)),
                page: [None, Some(1), Some(2), Some(0)][usize::from(self.byte() % 4)],
            }),
            133..141 => self.list(),
            141..144 => Ask::Known(Req::Policy { id: self.id() }),
            144..149 => {
                let ids = [self.id(), self.id(), self.id()];
                let count = usize::from(self.byte());
                let many = vec![Id::Name("nobody".into()); 21];
                let ids = ids.into_iter().take(1 + count % 3).collect();
                Ask::Known(Req::Batch { ids: if count >= 224 { many } else { ids } })
            }
            149..152 => Ask::Other(Call::ListPolicies { id: self.id() }),
            152..155 => {
                let (id, policy) = (self.id(), self.policy());
                Ask::Other(Call::ValidatePolicy { id: Some(id).filter(|_| kind < 154), policy })
            }
            155..158 => {
                let length = [None, Some(1), Some(4), Some(20), Some(0)];
                Ask::Other(Call::Password {
                    length: length[usize::from(self.byte() % 5)],
                    without: self.byte(),
                    excluded: ["", "abcdefghijklmnopqrstuvwxyz", "0123456789aZ!"]
                        [usize::from(self.byte() % 3)],
                    each: [None, Some(true), Some(false)][usize::from(self.byte() % 3)],
                })
            }
            _ => Ask::Other(Call::GetOfOther { name: self.name() }),
        }
    }

    fn list(&mut self) -> Ask {
        let (paged, filtered, sorted) = (self.byte(), self.byte(), self.byte());
        let filter = match filtered % 8 {
            0 => Some(("name", "a")),
            1 => Some(("name", "!d")),
            2 => Some(("tag-key", "e")),
            3 => Some(("tag-value", "v1")),
            _ => None,
        };
        let filter = filter.map(|(key, value)| Filter { key, values: vec![value.into()] });
        Ask::Known(Req::List {
            planned: [None, Some(true)][usize::from(sorted / 4 % 2)],
            page: [None, Some(1), Some(2), Some(3), Some(1), Some(2), Some(101)]
                [usize::from(paged % 7)],
            filters: filter.into_iter().collect(),
            by_name: sorted % 2 == 1,
            descending: sorted / 2 % 2 == 1,
        })
    }

    /// One that changes something, by `kind` modulo 112.
    fn write(&mut self, kind: u8) -> Ask {
        match kind % 112 {
            0..14 => Ask::Known(Req::Create {
                name: if kind == 0 { "no?".into() } else { self.name() },
                token: self.token(),
                value: self.value(),
                description: self.text(&[None, Some("about it"), Some("")]),
                kms: self.text(&[None, None, Some("alias/mine")]),
                tags: Some(self.tags()).filter(|_| kind % 2 == 1),
            }),
            14..36 => Ask::Known(Req::Put {
                id: self.id(),
                token: self.token(),
                value: self.value(),
                stages: self.stages(),
            }),
            36..43 => Ask::Known(Req::Update {
                id: self.id(),
                token: self.token(),
                value: self.value(),
                description: self.text(&[None, Some("other words"), Some("")]),
                kms: self.text(&[None, None, Some("alias/mine"), Some("")]),
            }),
            43..56 => {
                let (id, stage) = (self.id(), self.byte());
                Ask::Known(Req::Stage {
                    id,
                    stage: LABELS[usize::from(stage) % LABELS.len()].into(),
                    from: self.version(),
                    to: self.version(),
                })
            }
            56..64 => {
                let (id, byte) = (self.id(), self.byte());
                Ask::Known(Req::Delete {
                    id,
                    window: [None, Some(7), Some(8), Some(6)][usize::from(byte % 4)],
                    force: [None, Some(false), Some(true), Some(true)][usize::from(byte / 4 % 4)],
                })
            }
            64..69 => Ask::Known(Req::Restore { id: self.id() }),
            69..73 => Ask::Known(Req::Tag { id: self.id(), tags: self.tags() }),
            73..76 => {
                let keys = vec![["k", "env"][usize::from(kind % 2)].to_owned()];
                Ask::Known(Req::Untag { id: self.id(), keys })
            }
            76..81 => Ask::Known(Req::PutPolicy {
                id: self.id(),
                policy: self.policy(),
                block: self.byte() % 2 == 1,
            }),
            81..83 => Ask::Known(Req::DeletePolicy { id: self.id() }),
            kind => Ask::Other(self.other_write(kind)),
        }
    }

    fn other_write(&mut self, kind: u8) -> Call {
        match kind {
            ..89 => Call::Create {
                name: self.name(),
                token: self.token(),
                value: self.value(),
                kin: self.kin(),
            },
            89..90 => Call::SetPartner {
                id: self.id(),
                partner: if self.byte() < 128 { "partner" } else { "" },
            },
            90..94 => {
                let (id, token, days) = (self.id(), self.token(), i64::from(self.byte() % 8));
                let byte = self.byte();
                let function = [Some(FUNCTION), Some(FUNCTION), None, Some(NO_FUNCTION)];
                let function = function[usize::from(byte % 4)];
                Call::Rotate { id, token, days, at_once: byte < 160, function }
            }
            94..96 => Call::CancelRotate { id: self.kin_id() },
            96..101 => Call::Replicate { id: self.id(), force: self.byte() % 2 == 1 },
            101..103 => Call::RemoveRegions { id: self.id() },
            103..106 => Call::StopReplication { id: self.kin_id() },
            106..109 => Call::Associate { id: self.kin_id() },
            _ => Call::Disassociate { id: self.kin_id() },
        }
    }
}
