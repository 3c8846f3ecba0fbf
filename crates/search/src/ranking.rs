//! Which texts a query finds, best first.
//!
//! Of each word its best form counts, and the sum of them the more, the more words a text has. Only integers, so that
//! every index that has the same postings gives the same order.

use crate::Looked;
use crate::posting::{BLOCK, postings, text};
use std::cmp::Ordering;
use std::collections::HashMap;

/// A body as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postings {
    /// The index's number for the term.
    pub term: i64,
    /// Which texts it is about.
    pub block: i64,
    /// As [`Place`](crate::Place) made it.
    pub body: Vec<u8>,
}

/// A text that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its number.
    pub text: i64,
    /// How well it fits.
    pub score: i64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// The first ones, best first; of two that fit alike the one with the lower number.
    pub best: Vec<Hit>,
    /// How many there are in all.
    pub total: u64,
}

/// Ranks the texts that have at least half of a query's words. `all` are the postings of the terms of `looked` in any
/// order; `most` is how many are wanted at most; others than `keep` allows do not count.
pub fn rank(
    looked: &[Looked],
    words: usize,
    all: &[Postings],
    most: usize,
    mut keep: impl FnMut(i64) -> bool,
) -> Ranking {
    let mut hits = Vec::new();
    for block in parts(looked, all).chunk_by(|one, other| one.block == other.block) {
        let (mut scores, mut matched) = ([0; BLOCK], [0_usize; BLOCK]);
        for word in block.chunk_by(|one, other| one.word == other.word) {
            let best = best_forms(word);
            for at in (0..BLOCK).filter(|at| best[*at] > 0) {
                scores[at] += best[at];
                matched[at] += 1;
            }
        }
        for at in (0..BLOCK).filter(|at| matched[*at] > 0 && matched[*at] * 2 >= words) {
            let text = text(block[0].block, at);
            if keep(text) {
                hits.push(Hit { text, score: scores[at] * (matched[at] as i64 + 1) });
            }
        }
    }
    let total = hits.len() as u64;
    if most < hits.len() {
        hits.select_nth_unstable_by(most, order);
        hits.truncate(most);
    }
    hits.sort_unstable_by(order);
    Ranking { best: hits, total }
}

/// A body that counts for a word.
struct Part<'a> {
    block: i64,
    word: i64,
    factor: i64,
    body: &'a [u8],
}

/// The bodies that count, those of a block together and in it those of a word. A term may stand for several words.
fn parts<'a>(looked: &[Looked], all: &'a [Postings]) -> Vec<Part<'a>> {
    let mut uses: HashMap<i64, Vec<&Looked>> = HashMap::new();
    for term in looked {
        uses.entry(term.number).or_default().push(term);
    }
    let mut parts: Vec<Part<'a>> = Vec::new();
    for Postings { term, block, body } in all {
        let uses = uses.get(term).into_iter().flatten();
        parts.extend(uses.map(|used| Part { block: *block, word: used.word, factor: used.factor, body }));
    }
    parts.sort_unstable_by_key(|part| (part.block, part.word));
    parts
}

/// For each text of a block what the best form of one word counts; 0 where none is.
fn best_forms(word: &[Part<'_>]) -> [i64; BLOCK] {
    let mut best = [0; BLOCK];
    for part in word {
        for (at, weight) in postings(part.body) {
            best[at] = best[at].max(weight * part.factor);
        }
    }
    best
}

fn order(one: &Hit, other: &Hit) -> Ordering {
    other.score.cmp(&one.score).then(one.text.cmp(&other.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use std::collections::BTreeMap;

    /// Term → text → weight.
    type Index = BTreeMap<i64, BTreeMap<i64, i64>>;

    fn pack(index: &Index) -> Vec<Postings> {
        let mut bodies: BTreeMap<(i64, i64), Vec<u8>> = BTreeMap::new();
        for (term, texts) in index {
            for (text, weight) in texts {
                let place = Place::of(*text);
                place.post(bodies.entry((place.block, *term)).or_default(), *weight);
            }
        }
        bodies.into_iter().map(|((block, term), body)| Postings { term, block, body }).collect()
    }

    fn looked(number: i64, word: i64, factor: i64) -> Looked {
        Looked { number, word, factor }
    }

    fn index(postings: &[(i64, i64, i64)]) -> Index {
        let mut index = Index::new();
        for (term, text, weight) in postings {
            index.entry(*term).or_default().insert(*text, *weight);
        }
        index
    }

    /// The same, as slow and as plain as can be.
    fn naive(looked: &[Looked], words: usize, index: &Index, most: usize, keep: impl Fn(i64) -> bool) -> Ranking {
        let mut found: BTreeMap<i64, BTreeMap<i64, i64>> = BTreeMap::new();
        for term in looked {
            for (text, weight) in index.get(&term.number).into_iter().flatten() {
                let best = found.entry(*text).or_default().entry(term.word).or_default();
                *best = (*best).max(weight * term.factor);
            }
        }
        found.retain(|text, matched| matched.len() * 2 >= words && keep(*text));
        let score = |matched: &BTreeMap<i64, i64>| matched.values().sum::<i64>() * (matched.len() as i64 + 1);
        let mut best: Vec<Hit> =
            found.iter().map(|(text, matched)| Hit { text: *text, score: score(matched) }).collect();
        best.sort_by_key(|hit| (-hit.score, hit.text));
        best.truncate(most);
        Ranking { best, total: found.len() as u64 }
    }

    /// Numbers that are the same every time (splitmix64).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % most
        }
    }

    #[test]
    fn of_each_word_its_best_form_counts() {
        let index = index(&[(1, 10, 100), (2, 10, 500), (2, 11, 500), (3, 11, 1)]);
        let looked = [looked(1, 0, 10), looked(2, 0, 1), looked(3, 1, 7)];
        let found = rank(&looked, 2, &pack(&index), 10, |_| true);
        let best = [Hit { text: 10, score: 1000 * 2 }, Hit { text: 11, score: (500 + 7) * 3 }];
        assert_eq!(found, Ranking { best: best.to_vec(), total: 2 });
    }

    #[test]
    fn less_than_half_of_the_words_is_not_found() {
        let index = index(&[(1, 1, 9), (1, 2, 9), (2, 2, 9)]);
        let looked = [looked(1, 0, 1), looked(2, 1, 1)];
        let texts = |words| {
            let found = rank(&looked, words, &pack(&index), 10, |_| true);
            found.best.iter().map(|hit| hit.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(2), [2, 1]);
        assert_eq!(texts(3), [2]);
        assert_eq!(texts(5), [0; 0]);
    }

    #[test]
    fn one_term_may_stand_for_two_words() {
        let found = rank(&[looked(1, 0, 2), looked(1, 1, 3)], 2, &pack(&index(&[(1, 5, 10)])), 10, |_| true);
        assert_eq!(found.best, [Hit { text: 5, score: (20 + 30) * 3 }]);
    }

    #[test]
    fn any_postings_are_ranked_as_plainly_as_can_be() {
        for seed in 0..200 {
            let mut dice = Dice(seed);
            let (texts, terms) = (1 + dice.below(2_000), 1 + dice.below(12));
            let mut index = Index::new();
            for _ in 0..dice.below(4_000) {
                let (term, text) = (dice.below(terms) as i64, dice.below(texts) as i64);
                // Few weights and factors, so that many fit alike.
                index.entry(term).or_default().insert(text, 1 + dice.below(5) as i64);
            }
            let words = 1 + dice.below(6);
            let looked: Vec<Looked> = (0..dice.below(12))
                .map(|_| looked(dice.below(terms + 2) as i64, dice.below(words) as i64, 1 + dice.below(3) as i64))
                .collect();
            let most = dice.below(300) as usize;
            let modulo = 1 + dice.below(3) as i64;
            let keep = |text: i64| text % modulo == 0;
            let mut postings = pack(&index);
            for place in (1..postings.len()).rev() {
                postings.swap(place, dice.below(place as u64 + 1) as usize);
            }
            let words = words as usize;
            let expected = naive(&looked, words, &index, most, keep);
            assert_eq!(rank(&looked, words, &postings, most, keep), expected, "seed {seed}");
        }
    }
}
