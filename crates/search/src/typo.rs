//! Misspelt words: which known words were perhaps meant.

use std::collections::BTreeSet;

/// Shorter words are too near to each other.
const SHORTEST: usize = 4;

/// Whether misspelt forms of a word are looked for. The word is folded.
pub(crate) fn can_be_mistyped(word: &str) -> bool {
    word.chars().count() >= SHORTEST && word.chars().all(char::is_alphabetic)
}

/// All runs of three letters of a folded word, with two spaces before it and one behind: where it begins tells more than
/// where it ends.
pub fn trigrams(word: &str) -> BTreeSet<String> {
    let letters: Vec<char> = "  ".chars().chain(word.chars()).chain(" ".chars()).collect();
    letters.windows(3).map(|three| three.iter().collect()).collect()
}

/// How many letters may differ.
pub(crate) fn allowance(word: &str) -> usize {
    match word.chars().count() {
        0..SHORTEST => 0,
        SHORTEST..7 => 1,
        _ => 2,
    }
}

/// Letters put in, left out, exchanged for another or with their neighbour, to get from one word to the other.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, with) in other.iter().enumerate() {
            let exchanged = row[j] + usize::from(letter != with);
            let mut least = exchanged.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *letter == other[j - 1] && one[i - 1] == *with {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_slips() {
        for (one, other, expected) in [
            ("invoice", "invoice", 0),
            ("invioce", "invoice", 1),
            ("invoce", "invoice", 1),
            ("invoicce", "invoice", 1),
            ("imvoice", "invoice", 1),
            ("sumarise", "summarize", 2),
            ("", "abc", 3),
            ("письмо", "писмо", 1),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn trigrams_stress_the_beginning() {
        assert_eq!(trigrams("abc").into_iter().collect::<Vec<_>>(), ["  a", " ab", "abc", "bc "]);
    }
}
