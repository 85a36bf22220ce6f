//! Injected faults. The seed and the number of the call determine which fault happens when.

use super::machine::SimEntropy;
use crate::env::Entropy;
use arbitrary::{Arbitrary, Unstructured};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// Refused with `ThrottlingException`, status 400; not executed.
    Throttled,
    /// Refused with `InternalServiceError`, status 500; not executed.
    Internal,
    /// Refused with `ServiceUnavailableException`, status 503; not executed.
    Unavailable,
    /// The request is lost: not executed, and no answer arrives.
    LostRequest,
    /// The answer is lost: executed, but no answer arrives.
    LostAnswer,
    /// A read answers from an older state, this many writes back.
    Stale(u8),
}

/// How many of a thousand calls have each fault. A call has at most one. If the sum is above 1000, earlier
/// members take precedence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// [`FaultKind::Throttled`]
    pub throttled: u16,
    /// [`FaultKind::Internal`]
    pub internal: u16,
    /// [`FaultKind::Unavailable`]
    pub unavailable: u16,
    /// [`FaultKind::LostRequest`]
    pub lost_request: u16,
    /// [`FaultKind::LostAnswer`]
    pub lost_answer: u16,
    /// [`FaultKind::Stale`]; of reads alone.
    pub stale: u16,
}

/// Which faults happen, how often, and from which seed. The default has no faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// Determines which calls have faults.
    pub seed: u64,
    /// The rates of operations without rates of their own.
    pub rates: Rates,
    /// The rates of single operations, by their names.
    pub per_operation: BTreeMap<String, Rates>,
    /// The longest latency. Each call takes between zero and this, and the simulated clock advances by it.
    pub latency_max: Duration,
    /// How many writes back a stale read may look. This many snapshots are kept.
    pub stale_writes_max: u8,
}

impl FaultPlan {
    /// A plan with the same rates for all operations, looking back four writes.
    #[must_use]
    pub fn new(seed: u64, rates: Rates) -> Self {
        Self { seed, rates, stale_writes_max: 4, ..Self::default() }
    }

    /// The fault of call `number`, if any, and its latency.
    pub(super) fn of_call(&self, number: u64, operation: &str) -> (Option<FaultKind>, Duration) {
        // The draws of a call depend on its number alone, so that they change only if calls before it are
        // added or removed.
        let chance = SimEntropy::from_seed(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bytes = [0; 24];
        // It only computes, so it cannot fail.
        let _ = chance.fill(&mut bytes);
        let (words, _) = bytes.as_chunks::<8>();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        let mut draw = |below: u64| words.next().unwrap_or(0) % below.max(1);
        let (at, back) = (draw(1000), draw(u64::from(self.stale_writes_max)));
        let latency_max = u64::try_from(self.latency_max.as_millis()).unwrap_or(u64::MAX - 1);
        let latency = Duration::from_millis(draw(latency_max.saturating_add(1)));
        let rates = self.per_operation.get(operation).unwrap_or(&self.rates);
        let back = u8::try_from(back + 1).unwrap_or(u8::MAX);
        let mut edge = 0;
        let fault = rates.list(back).into_iter().find_map(|(kind, rate)| {
            edge += u64::from(rate);
            (at < edge).then_some(kind)
        });
        (fault, latency)
    }
}

impl Rates {
    fn list(&self, back: u8) -> [(FaultKind, u16); 6] {
        [
            (FaultKind::Throttled, self.throttled),
            (FaultKind::Internal, self.internal),
            (FaultKind::Unavailable, self.unavailable),
            (FaultKind::LostRequest, self.lost_request),
            (FaultKind::LostAnswer, self.lost_answer),
            (FaultKind::Stale(back), self.stale),
        ]
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled => out.write_str("throttled"),
            Self::Internal => out.write_str("internal"),
            Self::Unavailable => out.write_str("unavailable"),
            Self::LostRequest => out.write_str("lost request"),
            Self::LostAnswer => out.write_str("lost answer"),
            Self::Stale(back) => write!(out, "stale {back}"),
        }
    }
}

impl FromStr for FaultKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "throttled" => Self::Throttled,
            "internal" => Self::Internal,
            "unavailable" => Self::Unavailable,
            "lost request" => Self::LostRequest,
            "lost answer" => Self::LostAnswer,
            other => {
                let back = other.strip_prefix("stale ").and_then(|back| back.parse().ok());
                Self::Stale(back.filter(|back| *back > 0).ok_or(())?)
            }
        })
    }
}

impl<'a> Arbitrary<'a> for Rates {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut rate = || Ok(if u.ratio(1_u8, 2_u8)? { u.int_in_range(0..=200)? } else { 0 });
        Ok(Self {
            throttled: rate()?,
            internal: rate()?,
            unavailable: rate()?,
            lost_request: rate()?,
            lost_answer: rate()?,
            stale: rate()?,
        })
    }
}

impl<'a> Arbitrary<'a> for FaultPlan {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut plan = Self::new(u.arbitrary()?, u.arbitrary()?);
        plan.latency_max = Duration::from_millis(u.int_in_range(0..=5000)?);
        plan.stale_writes_max = u.int_in_range(1..=8)?;
        Ok(plan)
    }
}
