//! Lines on a terminal that are drawn again in the same place.

use super::board::Line;

/// What stands on the terminal, the cursor below it.
#[derive(Debug, Default)]
pub struct Block {
    drawn: Vec<Line>,
    width: usize,
}

impl Block {
    /// What to write so that these lines stand where the last ones stood; empty when they do already. Each line is
    /// written over the old one and only what is left of that is erased, so that nothing flickers.
    pub fn draw(&mut self, lines: Vec<Line>, width: usize, height: usize, colors: bool) -> String {
        if lines == self.drawn && width == self.width {
            return String::new();
        }
        let mut out = self.back(width, height);
        for line in &lines {
            out.push_str(&line.rendered(colors));
            out.push_str("\x1b[K\n");
        }
        out.push_str("\x1b[J");
        (self.drawn, self.width) = (lines, width);
        out
    }

    /// What to write so that nothing of it is left.
    pub fn erase(&mut self, width: usize, height: usize) -> String {
        match self.drawn.is_empty() {
            true => String::new(),
            false => {
                let out = self.back(width, height) + "\x1b[J";
                self.drawn.clear();
                out
            }
        }
    }

    /// To where it begins. A terminal that became narrower has broken its lines.
    fn back(&self, width: usize, height: usize) -> String {
        let rows = |line: &Line| line.width().div_ceil(width.max(1)).max(1);
        match self.drawn.iter().map(rows).sum::<usize>().min(height.saturating_sub(1)) {
            0 => String::new(),
            rows => format!("\x1b[{rows}A\r"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<Line> {
        texts.iter().map(|text| Line::from(*text)).collect()
    }

    #[test]
    fn lines_are_written_over_those_before_and_the_rest_is_erased() {
        let mut block = Block::default();
        assert_eq!(block.draw(lines(&["a", "b", "c"]), 80, 24, false), "a\x1b[K\nb\x1b[K\nc\x1b[K\n\x1b[J");
        assert_eq!(block.draw(lines(&["a", "b", "c"]), 80, 24, false), "", "nothing has changed");
        assert_eq!(block.draw(lines(&["d"]), 80, 24, false), "\x1b[3A\rd\x1b[K\n\x1b[J");
        assert_eq!(block.erase(80, 24), "\x1b[1A\r\x1b[J");
        assert_eq!(block.erase(80, 24), "");
    }

    #[test]
    fn lines_that_a_narrower_terminal_has_broken_count_as_several() {
        let mut block = Block::default();
        block.draw(lines(&["0123456789", "01234"]), 80, 24, false);
        assert_eq!(block.draw(lines(&["x"]), 5, 24, false), "\x1b[3A\rx\x1b[K\n\x1b[J");
        block.draw(lines(&["0"; 30]), 80, 24, false);
        assert_eq!(block.erase(80, 10), "\x1b[9A\r\x1b[J", "nobody reaches what has scrolled away");
    }
}
