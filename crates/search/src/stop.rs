//! Small words that say nothing about what is looked for, folded.

/// Words of grammar of the languages people search in. A query that has others is read without them.
const STOP_WORDS: &[&str] = &[
    // English
    "a", "about", "all", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "get",
    "has", "have", "how", "i", "in", "into", "is", "it", "its", "make", "me", "my", "need", "of", "on", "or", "our",
    "out", "please", "so", "some", "that", "the", "their", "them", "these", "this", "to", "us", "want", "we", "what",
    "when", "where", "which", "who", "will", "with", "you", "your", // German
    "alle", "als", "am", "auf", "aus", "bei", "bin", "das", "dass", "dem", "den", "der", "des", "die", "ein", "eine",
    "einem", "einen", "einer", "fur", "ich", "ihr", "im", "ins", "ist", "man", "mein", "meine", "meinen", "mich",
    "mir", "mit", "nach", "oder", "sich", "sie", "sind", "uber", "um", "und", "uns", "von", "vom", "wie", "wir", "zu",
    "zum", "zur", // French
    "au", "aux", "avec", "c", "ce", "ces", "cette", "d", "dans", "de", "du", "elle", "en", "est", "et", "il", "je",
    "l", "la", "le", "les", "leur", "ma", "mes", "moi", "mon", "nos", "notre", "nous", "ou", "par", "pour", "qu",
    "que", "qui", "ses", "sur", "un", "une", "vos", "votre", "vous", // Spanish, Portuguese, Italian
    "al", "ao", "aos", "con", "como", "da", "das", "del", "della", "di", "do", "dos", "e", "el", "gli", "las", "lo",
    "los", "mi", "mis", "na", "nas", "nei", "nel", "no", "nos", "o", "os", "para", "per", "pelo", "por", "se", "su",
    "sus", "um", "uma", "una", "uno", "unos", "y", // Dutch and Scandinavian
    "att", "av", "det", "een", "en", "ett", "for", "het", "ik", "med", "met", "mijn", "naar", "och", "og", "op", "pa",
    "som", "te", "til", "till", "van", "voor", // Russian
    "в", "во", "для", "и", "из", "к", "как", "мне", "мои", "на", "не", "о", "об", "от", "по", "с", "со", "что", "это",
    "я",
];

/// Whether a folded word is one of them.
pub(crate) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stand_as_they_are_compared() {
        for word in STOP_WORDS {
            assert_eq!(crate::fold(word), *word);
        }
    }
}
