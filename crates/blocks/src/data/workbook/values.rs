//! From what a cell holds to the text that a person sees in it.

use super::{damaged, each};
use chrono::{NaiveDate, TimeDelta};
use heddle_model::{Value, python};
use quick_xml::events::Event;

/// What cells refer to.
pub(super) struct Values {
    /// Texts by their number.
    pub shared: Vec<String>,
    /// Whether a style shows a number as a date, by its number.
    pub dates: Vec<bool>,
    /// Days are counted from 1904 instead of 1900.
    pub is_1904: bool,
}

/// A cell as it is read.
#[derive(Default)]
pub(super) struct Cell {
    kind: Kind,
    style: usize,
    /// Within the element that holds the text.
    pub is_open: bool,
    pub text: String,
}

#[derive(Default)]
enum Kind {
    #[default]
    Number,
    Shared,
    Truth,
    Fault,
    Text,
}

impl Cell {
    /// By its attributes `t` and `s`.
    pub fn of(kind: Option<String>, style: Option<String>) -> Self {
        let kind = match kind.as_deref() {
            Some("s") => Kind::Shared,
            Some("b") => Kind::Truth,
            Some("e") => Kind::Fault,
            Some("str" | "inlineStr" | "d") => Kind::Text,
            _ => Kind::Number,
        };
        let style = style.and_then(|style| style.parse().ok()).unwrap_or(0);
        Self { kind, style, ..Self::default() }
    }
}

impl Values {
    /// The text of a cell; what cannot be understood stands as it is, and a failed formula is empty.
    pub fn text(&self, cell: Cell) -> String {
        match cell.kind {
            Kind::Text => cell.text,
            Kind::Fault => String::new(),
            Kind::Truth => if cell.text == "1" { "True" } else { "False" }.to_owned(),
            Kind::Shared => cell.text.parse().ok().and_then(|n: usize| self.shared.get(n)).cloned().unwrap_or_default(),
            Kind::Number => self.number(&cell).unwrap_or(cell.text),
        }
    }

    fn number(&self, cell: &Cell) -> Option<String> {
        let number: f64 = cell.text.parse().ok().filter(|number: &f64| number.is_finite())?;
        if self.dates.get(cell.style) == Some(&true) {
            return self.moment(number);
        }
        // Written with up to 17 digits, of which people know the shortest form.
        let is_whole = number.fract() == 0.0 && number.abs() < 1e15;
        Some(if is_whole { format!("{number:.0}") } else { python::text(&Value::from(number)) })
    }

    /// A day, with its time unless that is midnight.
    fn moment(&self, days: f64) -> Option<String> {
        let first =
            if self.is_1904 { NaiveDate::from_ymd_opt(1904, 1, 1) } else { NaiveDate::from_ymd_opt(1899, 12, 30) };
        // No sheet knows a day after 9999.
        let seconds = (days.abs() < 3e6).then_some((days * 86_400.0).round())?;
        let moment = first?.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::try_seconds(seconds as i64)?)?;
        let format = if seconds % 86_400.0 == 0.0 { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S" };
        Some(moment.format(format).to_string())
    }
}

/// The shared texts, up to so many. What stands beside a text to say how it is read aloud is no part of it.
pub(super) fn shared(document: &str, most: usize) -> Result<Vec<String>, String> {
    let (mut texts, mut text, mut is_open, mut is_aside) = (Vec::new(), String::new(), false, false);
    each(document, |event| {
        match event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" => is_open = !is_aside,
                "rPh" => is_aside = true,
                _ => {}
            },
            Event::Empty(tag) if tag.local_name().as_ref() == "si" => texts.push(String::new()),
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => is_open = false,
                "rPh" => is_aside = false,
                "si" => texts.push(std::mem::take(&mut text)),
                _ => {}
            },
            other if is_open => append(&mut text, other)?,
            _ => {}
        }
        if texts.len() > most { Err("the workbook has too many texts".to_owned()) } else { Ok(()) }
    })?;
    Ok(texts)
}

/// Adds what an event says to a text. No entities are known but those of XML itself.
pub(super) fn append(text: &mut String, event: &Event<'_>) -> Result<(), String> {
    match event {
        Event::Text(piece) => text.push_str(&piece.xml10_content()),
        Event::CData(piece) => text.push_str(&piece.xml10_content()),
        Event::GeneralRef(name) => match name.resolve_char_ref().map_err(|_| damaged())? {
            Some(character) => text.push(character),
            None => text.push_str(match &*name.xml10_content() {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "apos" => "'",
                "quot" => "\"",
                _ => return Err(damaged()),
            }),
        },
        _ => {}
    }
    Ok(())
}
