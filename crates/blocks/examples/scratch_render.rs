//! scratch
use std::io::BufRead;
fn main() {
    for line in std::io::stdin().lock().lines() {
        let case: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let r = heddle_blocks::template::render(case["t"].as_str().unwrap(), case["v"].as_object().unwrap(), case["e"] == true);
        println!("{}", match r { Ok(t) => serde_json::json!({"ok": t}), Err(e) => serde_json::json!({"err": e.to_string()}) });
    }
}
