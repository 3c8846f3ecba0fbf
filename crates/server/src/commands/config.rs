//! `heddle config`: the effective settings and where each came from.

use crate::failure::Failure;
use crate::{Setting, print};
use serde_json::{Value, json};

/// Text is TOML that can be put into a settings file, but for the secrets: a star stands for each.
pub fn show(setting: &Setting) -> Result<(), Failure> {
    let settings = setting.settings.effective();
    if setting.json {
        let mut sections = json!({});
        for (name, value, _) in settings {
            let place = name.split('.').fold(&mut sections, |place, part| &mut place[part]);
            *place = value;
        }
        return print::json(&sections);
    }
    let mut lines = Vec::new();
    let mut current = "";
    for (name, value, origin) in &settings {
        let (section, key) = name.rsplit_once('.').expect("every setting has a section");
        if section != current {
            lines.push(format!("{}[{section}]", if current.is_empty() { "" } else { "\n" }));
            current = section;
        }
        let unset = value.is_null() || matches!(value, Value::String(text) if text == "auto");
        lines.push(format!("{}{key} = {value}  # {origin}", if unset { "# " } else { "" }));
    }
    print::text(&lines.join("\n"))
}
