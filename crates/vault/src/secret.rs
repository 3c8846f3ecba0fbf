//! A value that does not slip into a log.

use std::fmt;

use zeroize::Zeroize;

/// Holds a secret: shown as a star, wiped when dropped, read only through [`Secret::expose`].
///
/// It can be neither printed nor serialised:
///
/// ```compile_fail,E0277
/// println!("{}", heddle_vault::Secret::new(String::from("hunter2")));
/// ```
///
/// ```compile_fail,E0599
/// let text = heddle_vault::Secret::new(String::from("hunter2")).to_string();
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The name is long so that each use is seen in review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl Secret<Vec<u8>> {
    /// The same bytes as text, or `None` (and the bytes wiped) when they are not UTF-8.
    pub fn into_text(mut self) -> Option<Secret<String>> {
        match String::from_utf8(std::mem::take(&mut self.0)) {
            Ok(text) => Some(Secret(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                None
            }
        }
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("*")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn debug_prints_a_star_however_deep_it_is_nested() {
        let nested = Some(vec![Secret::new(String::from("hunter2"))]);
        assert_eq!(format!("{nested:?}"), "Some([*])");
        assert!(!format!("{nested:#?}").contains("hunter2"));
    }

    #[test]
    fn dropping_wipes() {
        struct Spy(Rc<Cell<bool>>);
        impl Zeroize for Spy {
            fn zeroize(&mut self) {
                self.0.set(true);
            }
        }
        let wiped = Rc::new(Cell::new(false));
        drop(Secret::new(Spy(Rc::clone(&wiped))));
        assert!(wiped.get());
    }

    #[test]
    fn bytes_become_text_only_when_they_are_text() {
        assert_eq!(Secret::new(b"abc".to_vec()).into_text().expect("ascii").expose(), "abc");
        assert!(Secret::new(vec![0xff]).into_text().is_none());
    }
}
