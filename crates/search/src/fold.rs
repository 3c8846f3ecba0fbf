//! Letters as they are compared, and texts cut into words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer words are cut: nobody types them, and an index keeps every one.
const LONGEST: usize = 64;

/// A piece of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Piece {
    /// A word between others, in lower case, with its diacritics: stemmers need them.
    Word(String),
    /// A run of a script that does not part words.
    Run(Vec<char>),
}

/// A text without case, diacritics and compatibility forms. Marks of scripts whose vowels they are stay.
pub fn fold(text: &str) -> String {
    let plain = text.nfkc().flat_map(char::to_lowercase).nfd().filter(|letter| !is_diacritic(*letter)).nfc();
    let mut folded = String::with_capacity(text.len());
    for letter in plain {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            'ى' => folded.push('ي'),
            // Tatweel only stretches a word.
            'ـ' => {}
            other => folded.push(other),
        }
    }
    folded
}

/// The pieces of a text, in order.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut last: Option<Piece> = None;
    for letter in text.nfkc().flat_map(char::to_lowercase) {
        let is_run = is_unparted(letter);
        let belongs = letter.is_alphanumeric() || is_combining_mark(letter);
        match (&mut last, is_run, belongs) {
            (Some(Piece::Run(run)), true, _) => run.push(letter),
            (Some(Piece::Word(word)), false, true) => {
                if word.len() < LONGEST {
                    word.push(letter);
                }
            }
            (_, true, _) => pieces.extend(last.replace(Piece::Run(vec![letter]))),
            (_, false, true) => pieces.extend(last.replace(Piece::Word(letter.to_string()))),
            (_, false, false) => pieces.extend(last.take()),
        }
    }
    pieces.extend(last);
    pieces
}

/// Marks that people leave out: those of Latin, Greek and Cyrillic letters, Arabic and Hebrew points.
fn is_diacritic(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Scripts whose words stand together, and Hangul, whose particles cling to words.
fn is_unparted(letter: char) -> bool {
    matches!(letter,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && letter != '・'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_compared_without_case_diacritics_and_width() {
        for (text, folded) in [
            ("Überweisung", "uberweisung"),
            ("Straße", "strasse"),
            ("ÉTÉ", "ete"),
            ("Łódź", "lodz"),
            ("Smørrebrød", "smorrebrod"),
            ("İstanbul ışık", "istanbul isik"),
            ("ＦＵＬＬ　１２", "full 12"),
            ("Ελληνικός", "ελληνικοσ"),
            ("Ёлка", "елка"),
            ("كِتَابٌ", "كتاب"),
            ("ﬁle", "file"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn marks_that_are_vowels_or_other_sounds_stay() {
        for text in ["हिन्दी", "ภาษาไทย", "がぎぐ", "한국어"] {
            assert_eq!(fold(text), text);
        }
    }

    #[test]
    fn texts_are_cut_into_words_and_runs() {
        let words = |text: &str| {
            let shown = |piece: Piece| match piece {
                Piece::Word(word) => word,
                Piece::Run(run) => format!("[{}]", run.into_iter().collect::<String>()),
            };
            pieces(text).into_iter().map(shown).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words("RSS-Feeds, l'été & 3.5"), "rss feeds l été 3 5");
        assert_eq!(words("Excelの表を要約"), "excel [の表を要約]");
        assert_eq!(words("हिन्दी में"), "हिन्दी में");
        assert_eq!(words("コード・レビュー"), "[コード] [レビュー]");
        assert_eq!(words("…"), "");
    }

    #[test]
    fn a_word_without_end_is_cut() {
        let [Piece::Word(word)] = &pieces(&"a".repeat(5_000))[..] else { panic!("one word") };
        assert!(word.len() <= LONGEST + 4);
    }
}
