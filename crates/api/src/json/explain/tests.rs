use super::explain;

/// Documents, each with what CPython 3.11 says about it.
const FAULTS: &str = include_str!("../../../tests/data/json-faults.jsonl");

#[test]
fn faults_are_named_and_placed_as_python_does() {
    for line in FAULTS.lines() {
        let (json, at, text): (String, usize, String) = serde_json::from_str(line).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_err(), "not refused: {json:?}");
        let (found_at, found) = explain(&json);
        assert_eq!((found_at, found), (at, text.as_str()), "{json:?}");
    }
}

#[test]
fn what_python_takes_and_json_does_not_is_refused_too() {
    for (json, at, text) in [
        ("NaN", 0, "Expecting value"),
        ("[1, Infinity]", 4, "Expecting value"),
        ("[-Infinity]", 1, "Expecting value"),
        (r#"{"a": "\ud800"}"#, 7, "Unpaired surrogate escape"),
        (r#""\udc00""#, 1, "Unpaired surrogate escape"),
        (r#""\ud800\u0041""#, 1, "Unpaired surrogate escape"),
        ("[1e999]", 1, "Number out of range"),
    ] {
        assert!(serde_json::from_str::<serde_json::Value>(json).is_err(), "not refused: {json:?}");
        assert_eq!(explain(json), (at, text), "{json:?}");
    }
}
