//! The blocks that this build can run.

use crate::agent::{date_input, executor, file_input, input, output, table_input, time_input, toggle_input};
use crate::basic::{
    calculator, count_items, file_store, human_in_the_loop, note, persist, retrieve, store_value, type_converter,
};
use crate::block::Block;
use crate::data::{code_extraction, comment_object, json_decode, json_encode, keyword, sampling, xml};
use crate::logic::{condition, if_matches, step_through};
use crate::text::{combine, count, decode, encode, extract, fill_template, match_pattern, replace, split};
use crate::time::{countdown, current_date, current_date_time, current_time};
use crate::web::send_request;
use crate::{dictionary, list};

/// Each of them, in no particular order.
pub(crate) static BLOCKS: [Block; 67] = [
    input::ANY,
    input::SHORT_TEXT,
    input::LONG_TEXT,
    input::NUMBER,
    input::DROPDOWN,
    input::GOOGLE_DRIVE_FILE,
    date_input::BLOCK,
    time_input::BLOCK,
    toggle_input::BLOCK,
    table_input::BLOCK,
    file_input::BLOCK,
    output::BLOCK,
    executor::BLOCK,
    note::BLOCK,
    store_value::BLOCK,
    type_converter::BLOCK,
    file_store::BLOCK,
    human_in_the_loop::BLOCK,
    persist::BLOCK,
    retrieve::BLOCK,
    count_items::BLOCK,
    calculator::BLOCK,
    condition::BLOCK,
    if_matches::BLOCK,
    step_through::BLOCK,
    dictionary::create::BLOCK,
    dictionary::add::BLOCK,
    dictionary::find::BLOCK,
    dictionary::remove::BLOCK,
    dictionary::replace_value::BLOCK,
    dictionary::is_empty::BLOCK,
    list::create::BLOCK,
    list::add::BLOCK,
    list::find::BLOCK,
    list::get_item::BLOCK,
    list::remove::BLOCK,
    list::replace_item::BLOCK,
    list::reverse::BLOCK,
    list::is_empty::BLOCK,
    list::flatten::BLOCK,
    list::combine::CONCATENATE,
    list::combine::INTERLEAVE,
    list::combine::ZIP,
    list::sets::DIFFERENCE,
    list::sets::INTERSECTION,
    fill_template::BLOCK,
    combine::BLOCK,
    split::BLOCK,
    replace::BLOCK,
    match_pattern::BLOCK,
    extract::BLOCK,
    count::BLOCK,
    decode::BLOCK,
    encode::BLOCK,
    json_encode::BLOCK,
    json_decode::BLOCK,
    xml::BLOCK,
    code_extraction::BLOCK,
    sampling::BLOCK,
    keyword::SUGGESTION,
    keyword::RELATED,
    comment_object::BLOCK,
    current_time::BLOCK,
    current_date::BLOCK,
    current_date_time::BLOCK,
    countdown::BLOCK,
    send_request::BLOCK,
];
