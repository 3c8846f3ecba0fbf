//! Lists in pages.

/// Rows a page at most.
const LONGEST: u64 = 100;

/// Which page of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// From 1.
    pub page: u64,
    /// Rows a page, at least 1; more than 100 counts as 100.
    pub page_size: u64,
}

impl PageRequest {
    pub(crate) fn paging(self) -> heddle_store::Paging {
        heddle_store::Paging {
            page: u32::try_from(self.page.max(1)).unwrap_or(u32::MAX),
            page_size: self.page_size.clamp(1, LONGEST) as u32,
        }
    }

    pub(crate) fn of<S, T>(self, page: heddle_store::Page<S>, item: impl Fn(S) -> T) -> Page<T> {
        Page {
            items: page.items.into_iter().map(item).collect(),
            total_items: page.total,
            page: self.page,
            page_size: self.page_size.clamp(1, LONGEST),
        }
    }
}

/// One page and the totals.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// Rows in all.
    pub total_items: u64,
    /// As asked for.
    pub page: u64,
    /// As asked for, bounded.
    pub page_size: u64,
}

impl<T> Page<T> {
    /// Pages in all.
    pub fn total_pages(&self) -> u64 {
        self.total_items.div_ceil(self.page_size.max(1))
    }
}
