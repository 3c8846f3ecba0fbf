//! What each category of blocks is about, in our own words.

/// One sentence on a category; empty for a name that does not exist.
pub fn category_description(name: &str) -> &'static str {
    match name {
        "AI" => "Blocks that put a language, image or speech model to work.",
        "SOCIAL" => "Blocks that read from and publish to social networks.",
        "TEXT" => "Blocks that build, search and change text.",
        "SEARCH" => "Blocks that look things up on the web or in a database.",
        "BASIC" => "Building blocks that most agents need.",
        "INPUT" => "Blocks through which values enter an agent.",
        "OUTPUT" => "Blocks through which results leave an agent.",
        "LOGIC" => "Blocks that decide, repeat and compute.",
        "COMMUNICATION" => "Blocks that send and receive messages.",
        "DEVELOPER_TOOLS" => "Blocks for people who write and ship software.",
        "DATA" => "Blocks that keep, convert and combine data.",
        "HARDWARE" => "Blocks that deal with physical devices and goods.",
        "AGENT" => "Blocks that work with other agents.",
        "CRM" => "Blocks for contacts, leads and customers.",
        "SAFETY" => "Blocks that check content and guard what happens.",
        "PRODUCTIVITY" => "Blocks for documents, calendars and daily work.",
        "ISSUE_TRACKING" => "Blocks that follow tasks and tickets.",
        "MULTIMEDIA" => "Blocks that make and change images, sound and video.",
        "MARKETING" => "Blocks for campaigns and advertising.",
        _ => "",
    }
}
