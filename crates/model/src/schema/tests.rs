use super::*;
use serde_json::json;

fn error(schema: Value, value: Value) -> String {
    let compiled = Compiled::new(&schema);
    assert!(compiled.is_sound() && !compiled.is_valid(&value), "{value} against {schema}");
    compiled.check(&value).unwrap_err()
}

#[test]
fn errors_read_as_pythons_validator_puts_them() {
    let cases = [
        (json!({"type": "string"}), json!(5), "5 is not of type 'string'"),
        (json!({"type": "string"}), json!(null), "None is not of type 'string'"),
        (json!({"type": ["string", "null"]}), json!(1.0), "1.0 is not of type 'string', 'null'"),
        (json!({"enum": ["Add", "Power"]}), json!("Modulo"), "'Modulo' is not one of ['Add', 'Power']"),
        (json!({"const": "a"}), json!("b"), "'a' was expected"),
        (json!({"minimum": 1}), json!(0), "0 is less than the minimum of 1"),
        (json!({"maximum": 1.5}), json!(2), "2 is greater than the maximum of 1.5"),
        (json!({"exclusiveMinimum": 1}), json!(1), "1 is less than or equal to the minimum of 1"),
        (json!({"exclusiveMaximum": 1}), json!(1), "1 is greater than or equal to the maximum of 1"),
        (json!({"multipleOf": 2}), json!(3), "3 is not a multiple of 2"),
        (json!({"minLength": 1}), json!(""), "'' should be non-empty"),
        (json!({"minLength": 2}), json!("a"), "'a' is too short"),
        (json!({"maxLength": 1}), json!("ab"), "'ab' is too long"),
        (json!({"minItems": 2}), json!([1]), "[1] is too short"),
        (json!({"maxItems": 0}), json!([1]), "[1] is expected to be empty"),
        (json!({"maxItems": 1}), json!([1, 2]), "[1, 2] is too long"),
        (json!({"uniqueItems": true}), json!([1, 1]), "[1, 1] has non-unique elements"),
        (json!({"pattern": "^a"}), json!("b"), "'b' does not match '^a'"),
        (json!({"minProperties": 2}), json!({"a": 1}), "{'a': 1} does not have enough properties"),
        (json!({"not": {"type": "string"}}), json!("a"), "'a' should not be valid under {'type': 'string'}"),
        (
            json!({"additionalProperties": false, "properties": {"a": {}}}),
            json!({"a": 1, "c": 1, "b": 1}),
            "Additional properties are not allowed ('b', 'c' were unexpected)",
        ),
        (
            json!({"oneOf": [{"type": "integer"}, {"minimum": 0}]}),
            json!(1),
            "1 is valid under each of {'minimum': 0}, {'type': 'integer'}",
        ),
    ];
    for (schema, value, want) in cases {
        assert_eq!(error(schema, value), want);
    }
}

#[test]
fn the_error_nearest_to_the_root_is_shown() {
    let schema =
        json!({"properties": {"a": {"type": "string"}, "b": {"items": {"type": "string"}}}, "required": ["a", "c"]});
    assert_eq!(error(schema.clone(), json!({"a": 1, "b": [1]})), "'c' is a required property");
    assert_eq!(error(schema.clone(), json!({"b": [1]})), "'a' is a required property");
    assert_eq!(error(schema, json!({"a": 1, "b": [1], "c": 0})), "1 is not of type 'string'");
}

#[test]
fn of_one_values_errors_the_first_keyword_of_the_schema_is_shown() {
    assert_eq!(error(json!({"enum": ["a"], "type": "string"}), json!(5)), "5 is not one of ['a']");
    assert_eq!(error(json!({"type": "string", "enum": ["a"]}), json!(5)), "5 is not of type 'string'");
}

#[test]
fn among_siblings_the_greatest_path_is_shown() {
    let schema = json!({"properties": {"b": {"type": "string"}, "a": {"type": "string"}}});
    assert_eq!(error(schema, json!({"a": 1, "b": 2})), "2 is not of type 'string'");
}

#[test]
fn a_union_is_looked_into_when_one_error_in_it_stands_out() {
    let nullable = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
    assert_eq!(error(nullable, json!(5)), "5 is not valid under any of the given schemas");
    let choice = json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]});
    assert_eq!(error(choice, json!("x")), "'x' is not one of ['a']");
    let list = json!({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]});
    assert_eq!(error(list, json!(["a", 5])), "5 is not of type 'string'");
}

#[test]
fn a_schema_that_makes_no_sense_accepts_everything() {
    for schema in [json!({"type": 5}), json!({"$ref": "http://example.org/x"}), json!({"pattern": "("}), json!("x")] {
        let compiled = Compiled::new(&schema);
        assert!(!compiled.is_sound(), "{schema}");
        assert!(compiled.is_valid(&json!(1)) && compiled.check(&json!(1)).is_ok());
    }
}

#[test]
fn a_null_counts_as_missing() {
    let compiled = Compiled::new(&json!({"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}));
    let mut data = json!({"a": null, "b": null}).as_object().unwrap().clone();
    let before = data.clone();
    assert_eq!(compiled.check_present(&data), Err("'a' is a required property".to_owned()));
    assert_eq!(data, before);
    data.insert("a".to_owned(), json!("x"));
    data.remove("b");
    assert_eq!(compiled.check_present(&data), Ok(()));
    assert_eq!(data["a"], "x");
}

#[test]
fn a_pin_is_checked_alone_and_must_exist() {
    let compiled = Compiled::new(&json!({"properties": {"a": {"type": "string"}}, "required": ["a", "b"]}));
    assert_eq!(compiled.check_pin("a", &json!("x")), Ok(()));
    assert_eq!(compiled.check_pin("a", &json!(1)), Err("1 is not of type 'string'".to_owned()));
    assert!(compiled.check_pin("b", &json!(1)).is_err());
}
