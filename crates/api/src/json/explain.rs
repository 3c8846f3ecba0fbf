//! What Python's JSON parser would say about a malformed document, and where.
//!
//! A second, slower parser that keeps no values: it runs only after `serde_json` has refused a document. The texts and
//! positions are those of CPython's scanner before 3.13. Recursion is bounded because depth was measured before.

type Fault = (usize, &'static str);

/// The first fault of a document that is known to have one: byte offset and words.
pub fn explain(json: &str) -> Fault {
    let scan = Scan { text: json.as_bytes() };
    let begin = scan.blank(0);
    match scan.value(begin) {
        Err(fault) => fault,
        Ok(end) => {
            let end = scan.blank(end);
            if end == scan.text.len() { (0, "Expecting value") } else { (end, "Extra data") }
        }
    }
}

struct Scan<'a> {
    text: &'a [u8],
}

impl Scan<'_> {
    fn at(&self, index: usize) -> Option<u8> {
        self.text.get(index).copied()
    }

    fn blank(&self, mut index: usize) -> usize {
        while matches!(self.at(index), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            index += 1;
        }
        index
    }

    /// The end of the value that begins at `index`.
    fn value(&self, index: usize) -> Result<usize, Fault> {
        match self.at(index) {
            Some(b'"') => self.string(index),
            Some(b'{') => self.object(index + 1),
            Some(b'[') => self.array(index + 1),
            Some(b'-' | b'0'..=b'9') => self.number(index),
            _ => ["null", "true", "false"]
                .iter()
                .find(|word| self.text[index.min(self.text.len())..].starts_with(word.as_bytes()))
                .map(|word| index + word.len())
                .ok_or((index, "Expecting value")),
        }
    }

    fn object(&self, index: usize) -> Result<usize, Fault> {
        let mut index = self.blank(index);
        if self.at(index) == Some(b'}') {
            return Ok(index + 1);
        }
        loop {
            if self.at(index) != Some(b'"') {
                return Err((index, "Expecting property name enclosed in double quotes"));
            }
            index = self.blank(self.string(index)?);
            if self.at(index) != Some(b':') {
                return Err((index, "Expecting ':' delimiter"));
            }
            index = self.blank(self.value(self.blank(index + 1))?);
            match self.at(index) {
                Some(b'}') => return Ok(index + 1),
                Some(b',') => index = self.blank(index + 1),
                _ => return Err((index, "Expecting ',' delimiter")),
            }
        }
    }

    fn array(&self, index: usize) -> Result<usize, Fault> {
        let mut index = self.blank(index);
        if self.at(index) == Some(b']') {
            return Ok(index + 1);
        }
        loop {
            index = self.blank(self.value(index)?);
            match self.at(index) {
                Some(b']') => return Ok(index + 1),
                Some(b',') => index = self.blank(index + 1),
                _ => return Err((index, "Expecting ',' delimiter")),
            }
        }
    }

    fn digits(&self, mut index: usize) -> usize {
        while matches!(self.at(index), Some(b'0'..=b'9')) {
            index += 1;
        }
        index
    }

    fn number(&self, begin: usize) -> Result<usize, Fault> {
        let whole = begin + usize::from(self.at(begin) == Some(b'-'));
        let mut end = match self.at(whole) {
            Some(b'0') => whole + 1,
            Some(b'1'..=b'9') => self.digits(whole),
            _ => return Err((begin, "Expecting value")),
        };
        if self.at(end) == Some(b'.') && self.digits(end + 1) > end + 1 {
            end = self.digits(end + 1);
        }
        if matches!(self.at(end), Some(b'e' | b'E')) {
            let power = end + 1 + usize::from(matches!(self.at(end + 1), Some(b'+' | b'-')));
            if self.digits(power) > power {
                end = self.digits(power);
            }
        }
        // Python would read infinity here, which is no JSON either.
        let finite = std::str::from_utf8(&self.text[begin..end])
            .ok()
            .and_then(|digits| digits.parse::<f64>().ok())
            .is_some_and(f64::is_finite);
        if finite { Ok(end) } else { Err((begin, "Number out of range")) }
    }

    fn string(&self, begin: usize) -> Result<usize, Fault> {
        let open = (begin, "Unterminated string starting at");
        let mut index = begin + 1;
        loop {
            match self.at(index).ok_or(open)? {
                b'"' => return Ok(index + 1),
                b'\\' => match self.at(index + 1).ok_or(open)? {
                    b'u' => index = self.unicode(index)?,
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => index += 2,
                    _ => return Err((index, "Invalid \\escape")),
                },
                0..=0x1f => return Err((index, "Invalid control character at")),
                _ => index += 1,
            }
        }
    }

    /// The end of the `\uXXXX` at `index`, or of two that make one character. Python takes half a pair for a
    /// character; text here is UTF-8 and cannot hold one.
    fn unicode(&self, index: usize) -> Result<usize, Fault> {
        match self.unit(index)? {
            0xd800..=0xdbff => {
                let pair = self.at(index + 6) == Some(b'\\') && self.at(index + 7) == Some(b'u');
                match pair.then(|| self.unit(index + 6)).transpose()? {
                    Some(0xdc00..=0xdfff) => Ok(index + 12),
                    _ => Err((index, "Unpaired surrogate escape")),
                }
            }
            0xdc00..=0xdfff => Err((index, "Unpaired surrogate escape")),
            _ => Ok(index + 6),
        }
    }

    fn unit(&self, index: usize) -> Result<u32, Fault> {
        let bad = (index + 1, "Invalid \\uXXXX escape");
        // Four digits and something after them: Python looks no further at the end of the text.
        let digits = self.text.get(index + 2..index + 7).ok_or(bad)?;
        digits[..4].iter().try_fold(0, |unit, digit| Ok(unit * 16 + char::from(*digit).to_digit(16).ok_or(bad)?))
    }
}

#[cfg(test)]
mod tests;
