//! Numbered pages, as the lists of the first API version have them.

/// Which part of a list is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paging {
    /// From 1.
    pub page: u32,
    /// Items on a page.
    pub page_size: u32,
}

impl Paging {
    pub(crate) fn limit(self) -> i64 {
        i64::from(self.page_size)
    }

    pub(crate) fn offset(self) -> i64 {
        i64::from(self.page.saturating_sub(1)).saturating_mul(i64::from(self.page_size))
    }
}

/// One page and how long the whole list is.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// Items on all pages together.
    pub total: u64,
}
