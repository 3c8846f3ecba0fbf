//! Lists in pages.

use crate::call::{Input, Reading};
use crate::error::ApiError;
use heddle_platform::PageRequest;

/// Page numbers as they came in, and the graph whose list it is where there is one.
pub struct Paged {
    /// Path parameter `graph_id`; empty where the path has none.
    pub graph: String,
    page: i64,
    page_size: i64,
}

impl Input for Paged {
    fn read(request: &mut Reading) -> Option<Self> {
        let page = request.query_integer("page");
        let page_size = request.query_integer("page_size");
        Some(Self { graph: request.path("graph_id"), page: page?.unwrap_or(1), page_size: page_size?.unwrap_or(20) })
    }
}

impl Paged {
    /// The page, when there can be such a one.
    pub fn request(&self) -> Result<PageRequest, ApiError> {
        let positive = |number: i64| u64::try_from(number).ok().filter(|number| *number > 0);
        let page = positive(self.page).ok_or(ApiError::BadPage("Page must be greater than 0"))?;
        let page_size = positive(self.page_size).ok_or(ApiError::BadPage("Page size must be greater than 0"))?;
        Ok(PageRequest { page, page_size })
    }
}
