use super::*;
use serde_json::json;

fn check(schema: Value, cases: &[(Value, Value)]) {
    let target = Target::of_schema(&schema);
    for (from, want) in cases {
        let got = convert(from.clone(), &target).unwrap();
        // `Value` tells 8 from 8.0, which is what is meant here.
        assert_eq!(&got, want, "{from} as {schema}");
        assert!(target.accepts(&got) || target == Target::Any, "{got} fits {schema}");
    }
}

#[test]
fn scalars_follow_the_table() {
    check(
        json!({"type": "string"}),
        &[
            (json!("é"), json!("é")),
            (json!({"a": ["é", 1, 8.0]}), json!("{\"a\": [\"\\u00e9\", 1, 8.0]}")),
            (json!(true), json!("true")),
            (json!(null), json!("null")),
            (json!(8.0), json!("8.0")),
        ],
    );
    check(
        json!({"type": "integer"}),
        &[
            (json!("7.9"), json!(7)),
            (json!(" -7.9 "), json!(-7)),
            (json!("x"), json!(0)),
            (json!("nan"), json!(0)),
            (json!(true), json!(true)),
            (json!(null), json!(0)),
            (json!([1, 2]), json!(2)),
            (json!({"a": 1}), json!(1)),
            (json!(7.9), json!(7)),
            (json!(1.8e19), json!(18_000_000_000_000_000_000_u64)),
        ],
    );
    check(
        json!({"type": "number"}),
        &[
            (json!("3"), json!(3.0)),
            (json!(3), json!(3.0)),
            (json!(true), json!(1.0)),
            (json!("x"), json!(0.0)),
            (json!([]), json!(0.0)),
        ],
    );
    check(
        json!({"type": "boolean"}),
        &[
            (json!("TRUE"), json!(true)),
            (json!("1"), json!(true)),
            (json!(" true "), json!(false)),
            (json!("yes"), json!(false)),
            (json!(2), json!(true)),
            (json!([]), json!(false)),
        ],
    );
}

#[test]
fn containers_convert_their_elements() {
    check(
        json!({"type": "array", "items": {"type": "string"}}),
        &[
            (json!(["a", 1, null]), json!(["a", "1", "null"])),
            (json!({"a": 1}), json!(["[\"a\", 1]"])),
            (json!(" [1, 2] "), json!(["1", "2"])),
            (json!(" a "), json!(["a"])),
            (json!("[1"), json!(["[1"])),
            (json!(5), json!(["5"])),
        ],
    );
    check(
        json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        &[
            (json!({"a": "1"}), json!({"a": 1})),
            (json!("{\"a\": 2.5}"), json!({"a": 2})),
            (json!("[1]"), json!({"value": 1})),
            (json!("x"), json!({"value": 0})),
            (json!(["4"]), json!({"0": 4})),
            (json!(3), json!({"value": 3})),
        ],
    );
    check(json!({"type": "array"}), &[(json!(null), json!([null])), (json!({"a": 1}), json!([["a", 1]]))]);
}

#[test]
fn a_union_keeps_what_fits_a_member_and_else_takes_the_first_that_works() {
    check(
        json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        &[(json!(1), json!(1)), (json!("1"), json!("1")), (json!(1.5), json!("1.5")), (json!(null), json!("null"))],
    );
    check(
        json!({"anyOf": [{"type": "integer", "enum": [1]}, {"type": "boolean"}, {"type": "null"}]}),
        &[(json!(null), json!(null)), (json!("2"), json!(false)), (json!("1"), json!(1))],
    );
    check(json!({"type": ["integer", "null"]}), &[(json!(null), json!(null)), (json!("3"), json!(3))]);
}

#[test]
fn untyped_pins_models_and_tagged_unions_are_left_alone() {
    let schemas = [
        json!({}),
        json!({"type": "object", "properties": {"a": {"type": "string"}}}),
        json!({"oneOf": [{"type": "string"}]}),
        json!({"anyOf": [{}, {"type": "null"}]}),
        json!(true),
    ];
    for schema in schemas {
        assert_eq!(convert(json!(1), &Target::of_schema(&schema)), Ok(json!(1)), "{schema}");
    }
}

#[test]
fn what_has_no_place_in_the_type_is_refused() {
    let cases = [
        (
            json!({"type": "string", "enum": ["Add", "Power"]}),
            json!("Modulo"),
            "'Modulo' is not one of ['Add', 'Power']",
        ),
        (json!({"type": "integer", "enum": [1, 2]}), json!("3"), "3 is not one of [1, 2]"),
        (json!({"type": "number"}), json!("inf"), "'inf' is not a finite number"),
        (json!({"type": "number"}), json!("nan"), "'nan' is not a finite number"),
        (json!({"type": "integer"}), json!("1e400"), "'1e400' does not fit into an integer"),
        (json!({"type": "array", "items": {"type": "number"}}), json!(["-inf"]), "'-inf' is not a finite number"),
    ];
    for (schema, value, want) in cases {
        assert_eq!(convert(value, &Target::of_schema(&schema)), Err(want.to_owned()));
    }
}

#[test]
fn what_was_converted_fits_and_what_fits_is_not_converted() {
    let kinds = ["string", "integer", "number", "boolean", "array", "object"].map(|kind| json!({ "type": kind }));
    let mut schemas = kinds.to_vec();
    schemas.extend(kinds.iter().map(|kind| json!({"type": "array", "items": kind})));
    schemas.extend(kinds.iter().map(|kind| json!({"type": "object", "additionalProperties": kind})));
    schemas.extend(kinds.iter().map(|kind| json!({"anyOf": [kind, {"type": "null"}]})));
    schemas.push(json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "array", "items": {"type": "number"}}]}));
    let scalars =
        [json!(null), json!(true), json!(0), json!(-7), json!(2.5), json!(""), json!("a"), json!("[1, \"x\"]")];
    let mut values = scalars.to_vec();
    values.push(scalars.to_vec().into());
    values.extend(scalars.iter().map(|value| json!({"k": value, "l": [value]})));
    for schema in &schemas {
        let target = Target::of_schema(schema);
        for value in &values {
            let converted = convert(value.clone(), &target).unwrap();
            assert!(target.accepts(&converted), "{value} became {converted} as {schema}");
            if target.accepts(value) {
                assert_eq!(&converted, value, "{schema}");
            }
        }
    }
}

#[test]
fn the_collected_conversions_come_out_the_same() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/blocks/vectors.jsonl");
    let Ok(file) = std::fs::read_to_string(path) else {
        println!("skipped: 1 (needs ../shared)");
        return;
    };
    let mut seen = 0;
    for line in file.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        if case["block"] != "UniversalTypeConverterBlock" {
            continue;
        }
        let kind = match case["input"]["type"].as_str().unwrap() {
            "list" => "array",
            "dictionary" => "object",
            other => other,
        };
        let got = convert(case["input"]["value"].clone(), &Target::of_schema(&json!({"type": kind}))).unwrap();
        assert_eq!(got, case["output"][0][1], "{line}");
        seen += 1;
    }
    assert!(seen > 50, "{seen} conversions");
}
