//! What a text is found by, and what a query looks for: words of many languages, folded, stemmed and cut, as terms with
//! weights.
//!
//! Pure: knows no database and no listing. Whoever keeps an index keeps packed postings ([`Place`]) and a list of all terms
//! with their counts, and hands over what it has of a query's terms to be ranked ([`rank()`]) by sums of integers; so all
//! databases rank alike.
//!
//! - Letters are compared without case, diacritics and width ([`fold()`]).
//! - Words of languages with a stemmer are found by their stem too, under a name that says the language: a German stem
//!   never meets an English one. Which language a text is in is guessed from all of it; a query is stemmed by every
//!   language of its script, because one word tells nothing.
//! - Scripts that do not part words (Chinese, Japanese, Korean particles, Thai, …) are cut into pairs of letters.
//! - A word that nothing has is taken for a misspelt one, or for the beginning of a longer one ([`Word::guess`]).
//!
//! Weights follow BM25F: a term counts more in a name than in a description, less the longer the text, and less each time
//! it comes again; and the rarer it is in all texts.

mod fold;
mod language;
mod posting;
mod query;
mod ranking;
mod stop;
mod terms;
mod typo;

pub use fold::fold;
pub use posting::Place;
pub use query::{Found, Looked, Query, Word};
pub use ranking::{Hit, Postings, Ranking, rank};
pub use terms::{Terms, Texts, VERSION};
pub use typo::trigrams;
