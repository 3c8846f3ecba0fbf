//! Which texts a term is in and how much it weighs there, packed.
//!
//! Texts are numbered, and 256 numbers in a row make a block. Of each term an index keeps one body for each block that has
//! it: a common word is a few long rows, which a database reads far sooner than thousands of short ones. A block is no
//! larger because bodies are rewritten whole, and because full ones still lie several to a page of SQLite's.
//!
//! A body is its postings one behind the other, sorted by text, nothing around them. A posting is three bytes:
//!
//! - the text's place in its block, which is its number modulo 256;
//! - the weight, 1 to 65535, the higher byte first.

/// Numbers in a block.
pub(crate) const BLOCK: usize = 256;

/// Bytes of a posting.
const SIZE: usize = 3;

/// Where a text's postings are, whatever the term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// In which block.
    pub block: i64,
    at: u8,
}

impl Place {
    /// Of the text of this number.
    pub fn of(text: i64) -> Self {
        Self { block: text.div_euclid(BLOCK as i64), at: text.rem_euclid(BLOCK as i64) as u8 }
    }

    /// Has the text in a body of its block, with this weight.
    pub fn post(self, body: &mut Vec<u8>, weight: i64) {
        let weight = u16::try_from(weight.max(1)).unwrap_or(u16::MAX);
        let [high, low] = weight.to_be_bytes();
        let (from, to) = match self.find(body) {
            Ok(from) => (from, from + SIZE),
            Err(from) => (from, from),
        };
        body.splice(from..to, [self.at, high, low]);
    }

    /// Has the text in a body of its block no more.
    pub fn unpost(self, body: &mut Vec<u8>) {
        if let Ok(from) = self.find(body) {
            body.drain(from..from + SIZE);
        }
    }

    /// Where in a body its posting begins, or would begin.
    fn find(self, body: &[u8]) -> Result<usize, usize> {
        let (postings, _) = body.as_chunks::<SIZE>();
        let found = postings.binary_search_by_key(&self.at, |posting| posting[0]);
        found.map(|place| place * SIZE).map_err(|place| place * SIZE)
    }
}

/// The number of the text at a place of a block.
pub(crate) fn text(block: i64, at: usize) -> i64 {
    block.saturating_mul(BLOCK as i64).saturating_add(at as i64)
}

/// A body's postings: each text's place in the block, and the weight.
pub(crate) fn postings(body: &[u8]) -> impl Iterator<Item = (usize, i64)> {
    let (postings, _) = body.as_chunks::<SIZE>();
    postings.iter().map(|&[at, high, low]| (usize::from(at), i64::from(u16::from_be_bytes([high, low]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Vec<(usize, i64)> {
        postings(body).collect()
    }

    #[test]
    fn a_body_is_what_its_encoding_says() {
        let mut body = Vec::new();
        Place::of(256 + 7).post(&mut body, 1000);
        Place::of(256 + 255).post(&mut body, 1);
        Place::of(256).post(&mut body, 258);
        assert_eq!(body, [0, 1, 2, 7, 3, 232, 255, 0, 1]);
        assert_eq!(read(&body), [(0, 258), (7, 1000), (255, 1)]);
    }

    #[test]
    fn a_text_is_posted_once_and_taken_back_once() {
        let mut body = Vec::new();
        for text in [5, 3, 9, 3] {
            Place::of(text).post(&mut body, text * 10);
        }
        Place::of(5).post(&mut body, 1);
        assert_eq!(read(&body), [(3, 30), (5, 1), (9, 90)]);
        Place::of(4).unpost(&mut body);
        Place::of(5).unpost(&mut body);
        Place::of(5).unpost(&mut body);
        assert_eq!(read(&body), [(3, 30), (9, 90)]);
        Place::of(3).unpost(&mut body);
        Place::of(9).unpost(&mut body);
        assert!(body.is_empty());
    }

    #[test]
    fn every_number_has_one_place() {
        for number in [0, 1, 255, 256, 511, 512, 70_000, -1, i64::MAX] {
            let place = Place::of(number);
            assert_eq!(text(place.block, usize::from(place.at)), number);
        }
        assert_eq!((Place::of(255).block, Place::of(256).block), (0, 1));
    }

    #[test]
    fn weights_out_of_bounds_are_brought_back() {
        let mut body = Vec::new();
        Place::of(1).post(&mut body, 0);
        Place::of(2).post(&mut body, 1 << 20);
        assert_eq!(read(&body), [(1, 1), (2, 65_535)]);
    }
}
