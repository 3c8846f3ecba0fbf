//! Passing on, keeping, converting and counting values.

pub(crate) mod calculator;
pub(crate) mod count_items;
pub(crate) mod file_store;
pub(crate) mod human_in_the_loop;
pub(crate) mod note;
pub(crate) mod persist;
pub(crate) mod retrieve;
pub(crate) mod store_value;
pub(crate) mod type_converter;
