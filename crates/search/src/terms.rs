//! What a text is found by.

use crate::fold::{Piece, pieces};
use crate::language::Stems;
use crate::{fold, typo};
use std::collections::{BTreeMap, BTreeSet};

/// Counts changes of how texts become terms: what was indexed otherwise has to be indexed anew.
pub const VERSION: i64 = 1;

/// How much a field's word counts, and the length at which a field is neither short nor long.
const NAME: Field = Field { weight: 4.0, usual: 4.0 };
const SUB_HEADING: Field = Field { weight: 2.0, usual: 8.0 };
const DESCRIPTION: Field = Field { weight: 1.0, usual: 50.0 };

/// BM25's usual constants: how soon repetition stops to count, and how much length counts.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// A term that could not weigh more.
const FULL: f64 = 1000.0;

/// What is searched of a listing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Texts<'a> {
    /// Counts most.
    pub name: &'a str,
    /// Counts twice as much as the description.
    pub sub_heading: &'a str,
    /// Any length.
    pub description: &'a str,
}

/// A listing's terms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// Term → weight, 1 to 1000.
    pub weights: BTreeMap<String, i64>,
    /// Those of them that are words as people type them, which misspelt ones are compared with.
    pub words: BTreeSet<String>,
}

struct Field {
    weight: f64,
    usual: f64,
}

impl Terms {
    /// Of a listing.
    pub fn of(texts: Texts<'_>) -> Self {
        let stems = Stems::of(&format!("{}. {}. {}", texts.name, texts.sub_heading, texts.description));
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        let mut words = BTreeSet::new();
        for (text, field) in [(texts.name, NAME), (texts.sub_heading, SUB_HEADING), (texts.description, DESCRIPTION)] {
            let found = terms(text, &stems, &mut words);
            let length: f64 = found.len() as f64;
            let share = field.weight / (1.0 - B + B * length / field.usual);
            for term in found.into_iter().flatten() {
                *counts.entry(term).or_default() += share;
            }
        }
        let weight = |count: f64| ((FULL * count / (count + K1)) as i64).max(1);
        Self { weights: counts.into_iter().map(|(term, count)| (term, weight(count))).collect(), words }
    }
}

/// The terms at each place of a text.
fn terms(text: &str, stems: &Stems, words: &mut BTreeSet<String>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Word(word) => {
                let folded = fold(&word);
                if folded.is_empty() {
                    continue;
                }
                let mut terms = stems.stem(&word);
                if typo::can_be_mistyped(&folded) {
                    words.insert(folded.clone());
                }
                terms.push(folded);
                found.push(terms);
            }
            Piece::Run(run) => found.extend(pairs(&run).into_iter().map(|pair| vec![pair])),
        }
    }
    found
}

/// Each letter with the one after it; a letter alone stays alone.
pub(crate) fn pairs(run: &[char]) -> Vec<String> {
    match run {
        [alone] => vec![fold(&alone.to_string())],
        _ => run.windows(2).map(|pair| fold(&pair.iter().collect::<String>())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_more_in_a_name_than_below_it() {
        let terms = Terms::of(Texts {
            name: "Invoice reader",
            sub_heading: "Totals from receipts",
            description: "Reads every bill that arrives by mail and books it.",
        });
        let weight = |word: &str| terms.weights[word];
        assert!(weight("invoice") > weight("receipts") && weight("receipts") > weight("bill"), "{:?}", terms.weights);
        assert!(terms.weights.values().all(|weight| (1..=1000).contains(weight)));
        assert!(terms.words.contains("invoice") && !terms.words.contains("by"));
    }

    #[test]
    fn unparted_scripts_are_pairs() {
        let terms = Terms::of(Texts { name: "議事録作成", ..Texts::default() });
        assert_eq!(terms.weights.keys().collect::<Vec<_>>(), ["事録", "作成", "議事", "録作"]);
        assert!(terms.words.is_empty());
    }

    #[test]
    fn nothing_is_found_by_nothing() {
        assert_eq!(Terms::of(Texts { name: "…", sub_heading: "", description: " - " }), Terms::default());
    }
}
