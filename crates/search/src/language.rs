//! Languages that have a stemmer: which one a text is in, and the stems of a word.

use crate::fold;
use rust_stemmers::{Algorithm, Stemmer};
use whatlang::Lang;

/// A language with its name in terms, its stemmer, and whether it is written in Latin letters.
struct Language {
    name: &'static str,
    lang: Lang,
    algorithm: Algorithm,
    is_latin: bool,
}

macro_rules! languages {
    ($($name:literal $lang:ident $algorithm:ident $is_latin:literal),* $(,)?) => {
        const LANGUAGES: &[Language] = &[$(Language {
            name: $name,
            lang: Lang::$lang,
            algorithm: Algorithm::$algorithm,
            is_latin: $is_latin,
        }),*];
    };
}

languages!(
    "en" Eng English true,
    "de" Deu German true,
    "fr" Fra French true,
    "es" Spa Spanish true,
    "it" Ita Italian true,
    "pt" Por Portuguese true,
    "nl" Nld Dutch true,
    "sv" Swe Swedish true,
    "da" Dan Danish true,
    "no" Nob Norwegian true,
    "fi" Fin Finnish true,
    "hu" Hun Hungarian true,
    "ro" Ron Romanian true,
    "tr" Tur Turkish true,
    "ru" Rus Russian false,
    "el" Ell Greek false,
    "ar" Ara Arabic false,
    "ta" Tam Tamil false,
);

/// The languages that a text is stemmed by: its own where that can be told, and English, in which half of all names are.
pub(crate) struct Stems(Vec<&'static Language>);

impl Stems {
    /// For a text.
    pub(crate) fn of(text: &str) -> Self {
        let known: Vec<Lang> = LANGUAGES.iter().map(|language| language.lang).collect();
        let guessed = whatlang::Detector::with_allowlist(known).detect(text);
        let own = guessed.filter(|info| info.confidence() > 0.3).map_or(Lang::Eng, |info| info.lang());
        Self(LANGUAGES.iter().filter(|language| language.lang == own || language.lang == Lang::Eng).collect())
    }

    /// For a query: every language.
    pub(crate) fn all() -> Self {
        Self(LANGUAGES.iter().collect())
    }

    /// The stems of a word in lower case, each as a term. Of a word that was typed without its diacritics the stem may be
    /// another one, so both are given.
    pub(crate) fn stem(&self, word: &str) -> Vec<String> {
        let is_latin = word.chars().all(|letter| (letter as u32) < 0x250);
        let folded = fold(word);
        let mut terms = Vec::new();
        for language in self.0.iter().filter(|language| language.is_latin == is_latin) {
            let stemmer = Stemmer::create(language.algorithm);
            for form in [word, &folded] {
                let term = format!("{}:{}", language.name, fold(&stemmer.stem(form)));
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(text: &str, word: &str) -> Vec<String> {
        Stems::of(text).stem(word)
    }

    #[test]
    fn forms_of_a_word_have_a_stem_in_common() {
        for (text, indexed, typed) in [
            ("Summarizes long meetings into short minutes for your whole team", "summarizes", "summarize"),
            ("Fasst lange Besprechungen für das ganze Team kurz zusammen", "besprechungen", "besprechung"),
            ("Résume les réunions de toute votre équipe en quelques lignes", "réunions", "reunion"),
            ("Resume las reuniones de todo el equipo en unas pocas líneas", "reuniones", "reunión"),
            ("Переводит письма клиентов на русский язык и отвечает на них", "письма", "письмо"),
        ] {
            let (kept, asked) = (stems(text, indexed), Stems::all().stem(typed));
            assert!(kept.iter().any(|stem| asked.contains(stem)), "{indexed} {kept:?} {typed} {asked:?}");
        }
    }

    #[test]
    fn a_stem_says_its_language() {
        let terms = stems("Fasst lange Besprechungen für das ganze Team kurz zusammen", "besprechungen");
        assert!(terms.iter().all(|term| term.starts_with("de:") || term.starts_with("en:")), "{terms:?}");
    }
}
