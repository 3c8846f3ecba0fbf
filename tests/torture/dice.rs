//! Randomness that a number repeats, and when the server is to die.

use std::time::Duration;

/// SplitMix64: the same seed, the same throws.
#[derive(Clone)]
pub struct Dice(u64);

/// How the server of one start ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Death {
    /// kill -9 so long after it listens.
    Killed(Duration),
    /// kill -9 as soon as an answer's first byte has come, from so long after it listens.
    AtAnswer(Duration),
    /// kill -9 when an effect has reached the upstream server, before that answers.
    AtEffect(Duration),
    /// kill -9 when the upstream server has answered an effect.
    AfterEffect(Duration),
    /// kill -9 while it starts, so far on the way in thousandths.
    Starting(u32),
    /// SIGTERM so long after it listens: not a kill, comes on top.
    Asked(Duration),
}

impl Dice {
    /// Dice of one seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice that throw otherwise, for somebody else.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 and below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A time of so many milliseconds, both ends included.
    pub fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(least * 1000 + self.below((most - least) * 1000 + 1))
    }

    /// One of the weighted.
    pub fn pick<T: Copy>(&mut self, weighted: &[(u64, T)]) -> T {
        let mut left = self.below(weighted.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in weighted {
            match left.checked_sub(*weight) {
                None => return *item,
                Some(rest) => left = rest,
            }
        }
        unreachable!("the throw is below the sum")
    }

    /// How the next server ends.
    pub fn death(&mut self) -> Death {
        let after = self.millis(5, 400);
        let early = self.millis(0, 100);
        let on_the_way = self.below(1200) as u32;
        self.pick(&[
            (8, Death::Killed(after)),
            (3, Death::AtAnswer(early)),
            (2, Death::AtEffect(early)),
            (2, Death::AfterEffect(early)),
            (3, Death::Starting(on_the_way)),
            (2, Death::Asked(after)),
        ])
    }
}

impl Death {
    /// For the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Killed(_) => "at a random moment",
            Self::AtAnswer(_) => "at an answer's first byte",
            Self::AtEffect(_) => "when an effect arrived",
            Self::AfterEffect(_) => "when an effect was answered",
            Self::Starting(_) => "during start-up",
            Self::Asked(_) => "asked to end (SIGTERM)",
        }
    }

    /// Whether it counts as a kill.
    pub fn is_kill(self) -> bool {
        !matches!(self, Self::Asked(_))
    }
}
