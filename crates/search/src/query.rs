//! What a query looks for.
//!
//! Asked in three steps, because only the index knows which words it has: [`Query::read`] says what to look up,
//! [`Word::guess`] what a word that nothing has was perhaps meant to be, and [`Query::looked`] what each term counts.

use crate::fold::{Piece, pieces};
use crate::language::Stems;
use crate::stop::is_stop_word;
use crate::terms::pairs;
use crate::{fold, typo};
use std::collections::HashMap;

/// More words of a query say nothing more.
const MOST_WORDS: usize = 16;
/// Letters of a query that are looked at.
const LONGEST: usize = 400;
/// Words that a misspelt one may stand for.
const GUESSES: usize = 4;
/// Letters from which on a word is taken for the beginning of others.
const PREFIX: usize = 4;

/// How much other forms count beside the word as it was typed.
const STEM: f64 = 0.9;
const BEGINNING: f64 = 0.6;
const ONE_SLIP: f64 = 0.7;
const TWO_SLIPS: f64 = 0.45;
/// How much rarity counts, as a whole number.
const SCALE: f64 = 100.0;

/// A query, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// What is looked for, each by one or more terms.
    pub words: Vec<Word>,
}

/// One thing that is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// As it was typed, folded.
    pub text: String,
    /// Terms that stand for it, and how well.
    forms: Vec<(String, f64)>,
    /// Whether it is a word of letters, not a pair of an unparted script.
    is_word: bool,
}

/// A term as the index has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The index's number for it.
    pub number: i64,
    /// Texts that have it.
    pub count: i64,
}

/// A term that counts for a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The index's number for it.
    pub number: i64,
    /// Which of the query's words it stands for.
    pub word: i64,
    /// What its weight in a text is multiplied by, at least 1.
    pub factor: i64,
}

impl Query {
    /// Reads what was typed. Without any word nothing is looked for.
    pub fn read(text: &str) -> Self {
        let text: String = text.chars().take(LONGEST).collect();
        let stems = Stems::all();
        let mut words: Vec<Word> = Vec::new();
        for piece in pieces(&text) {
            let more = match piece {
                Piece::Word(word) => vec![Word::of(&word, &stems)],
                Piece::Run(run) => pairs(&run).into_iter().map(Word::pair).collect(),
            };
            for word in more {
                if !word.text.is_empty() && words.iter().all(|known| known.text != word.text) {
                    words.push(word);
                }
            }
        }
        if words.iter().any(|word| !is_stop_word(&word.text)) {
            words.retain(|word| !is_stop_word(&word.text));
        }
        words.truncate(MOST_WORDS);
        Self { words }
    }

    /// The terms to look up.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.words.iter().flat_map(|word| word.forms.iter().map(|(term, _)| term.as_str()))
    }

    /// What each term counts, given what the index has of them and how many texts there are.
    pub fn looked(&self, index: &HashMap<String, Found>, texts: i64) -> Vec<Looked> {
        let mut looked = Vec::new();
        for (place, word) in self.words.iter().enumerate() {
            let known = |term: &String| index.get(term).filter(|found| found.count > 0).copied();
            let direct = word.forms.iter().filter(|(_, share)| *share >= STEM).filter_map(|(term, _)| known(term));
            // A longer word is rarer than the one that was typed, but no better for that.
            let most = direct.map(|found| rarity(found, texts)).next().unwrap_or(f64::INFINITY);
            for (term, share) in &word.forms {
                let Some(found) = known(term) else { continue };
                let factor = ((rarity(found, texts).min(most) * share * SCALE) as i64).max(1);
                looked.push(Looked { number: found.number, word: place as i64, factor });
            }
        }
        looked
    }
}

/// How much it says of a text, of so many, that it has a term.
fn rarity(found: Found, texts: i64) -> f64 {
    let (all, have) = (texts.max(found.count) as f64, found.count as f64);
    (1.0 + (all - have + 0.5) / (have + 0.5)).ln()
}

impl Word {
    fn of(word: &str, stems: &Stems) -> Self {
        let text = fold(word);
        let mut forms = vec![(text.clone(), 1.0)];
        forms.extend(stems.stem(word).into_iter().map(|stem| (stem, STEM)));
        Self { text, forms, is_word: true }
    }

    fn pair(text: String) -> Self {
        Self { forms: vec![(text.clone(), 1.0)], text, is_word: false }
    }

    /// Whether the index has nothing of it, so that one has to guess.
    pub fn is_unknown(&self, index: &HashMap<String, Found>) -> bool {
        !self.forms.iter().any(|(term, _)| index.get(term).is_some_and(|found| found.count > 0))
    }

    /// What words begin with that this may be the beginning of; `None` when it is too short for that. One letter of an
    /// unparted script begins pairs.
    pub fn beginning(&self) -> Option<&str> {
        let letters = self.text.chars().count();
        let is_long = if self.is_word { letters >= PREFIX } else { letters == 1 };
        is_long.then_some(self.text.as_str())
    }

    /// Whether it may be misspelt.
    pub fn can_be_mistyped(&self) -> bool {
        self.is_word && typo::can_be_mistyped(&self.text)
    }

    /// Has words of the index that begin with this one stand for it as well.
    pub fn begin(&mut self, longer: &[String]) {
        for word in longer {
            if self.forms.iter().all(|(term, _)| term != word) {
                self.forms.push((word.clone(), BEGINNING));
            }
        }
    }

    /// Has those words of the index stand for it that it may be a misspelling of; `near` are words that have some letters in
    /// common with it.
    pub fn guess(&mut self, near: &[String]) {
        let allowance = typo::allowance(&self.text);
        let mut meant: Vec<(usize, &String)> =
            near.iter().map(|word| (typo::distance(&self.text, word), word)).collect();
        meant.retain(|(slips, _)| (1..=allowance).contains(slips));
        meant.sort();
        let least = meant.first().map_or(0, |(slips, _)| *slips);
        for (slips, word) in meant.into_iter().filter(|(slips, _)| *slips == least).take(GUESSES) {
            self.forms.push((word.clone(), if slips == 1 { ONE_SLIP } else { TWO_SLIPS }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(query: &Query) -> Vec<&str> {
        query.words.iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn small_words_are_left_out_unless_there_is_nothing_else() {
        assert_eq!(texts(&Query::read("an agent that translates for me")), ["agent", "translates"]);
        assert_eq!(texts(&Query::read("the who")), ["the", "who"]);
        assert_eq!(texts(&Query::read("Agent für die Buchhaltung")), ["agent", "buchhaltung"]);
        assert_eq!(texts(&Query::read("  …")), [""; 0]);
    }

    #[test]
    fn every_word_counts_once_and_not_without_end() {
        assert_eq!(texts(&Query::read("mail MAIL Mäil")), ["mail"]);
        let many: String = (0..100).map(|number| format!("w{number} ")).collect();
        assert_eq!(Query::read(&many).words.len(), MOST_WORDS);
    }

    #[test]
    fn slips_are_guessed_by_the_nearest_words() {
        let mut word = Query::read("sumarize").words.remove(0);
        word.guess(&["summarize", "summarizes", "customize"].map(str::to_owned));
        assert!(word.forms.contains(&("summarize".to_owned(), ONE_SLIP)));
        assert!(word.forms.iter().all(|(term, _)| term != "summarizes" && term != "customize"));
    }

    #[test]
    fn rare_terms_count_more_than_common_ones() {
        let query = Query::read("agent invoice");
        let index = HashMap::from([
            ("agent".to_owned(), Found { number: 1, count: 900 }),
            ("invoice".to_owned(), Found { number: 2, count: 3 }),
        ]);
        let looked = query.looked(&index, 1000);
        assert_eq!(looked.iter().map(|term| (term.number, term.word)).collect::<Vec<_>>(), [(1, 0), (2, 1)]);
        assert!(looked[1].factor > 10 * looked[0].factor, "{looked:?}");
    }
}
