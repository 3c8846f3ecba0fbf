//! Converting, picking apart and sampling data.

pub(crate) mod code_extraction;
pub(crate) mod comment_object;
mod csv;
pub(crate) mod json_decode;
pub(crate) mod json_encode;
pub(crate) mod keyword;
pub(crate) mod sampling;
pub(crate) mod spreadsheet;
mod workbook;
pub(crate) mod xml;
