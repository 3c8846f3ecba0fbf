use super::*;
use serde_json::json;

#[test]
fn floats_print_as_python_prints_them() {
    let cases = [
        (8.0, "8.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (123456789012345680.0, "1.2345678901234568e+17"),
        (1e20, "1e+20"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (1e-7, "1e-07"),
        (1.5e300, "1.5e+300"),
        (5e-324, "5e-324"),
        (0.30000000000000004, "0.30000000000000004"),
    ];
    for (float, want) in cases {
        assert_eq!(float_repr(float), want);
        assert_eq!(want.parse::<f64>().unwrap().to_bits(), float.to_bits());
    }
}

#[test]
fn values_print_as_python_literals() {
    let cases = [
        (json!(null), "None"),
        (json!(true), "True"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(1e20), "1e+20"),
        (json!([1, "a", {"k": 'v', "n": null}]), "[1, 'a', {'k': 'v', 'n': None}]"),
        (json!("it's"), "\"it's\""),
        (json!("it's \"so\""), "'it\\'s \"so\"'"),
        (
            json!("a\n\t\\\u{1}\u{7f}\u{a0}é\u{200b}\u{301}\u{e000}\u{1f600}"),
            "'a\\n\\t\\\\\\x01\\x7f\\xa0é\\u200b\u{301}\\ue000\u{1f600}'",
        ),
    ];
    for (value, want) in cases {
        assert_eq!(repr(&value), want);
    }
    assert_eq!(text(&json!("as is\n")), "as is\n");
    assert_eq!(text(&json!(8.0)), "8.0");
}

#[test]
fn json_texts_are_those_of_json_dumps() {
    let value = json!({"a": [1, 2.0, null, true], "é": "\u{1f600}\u{7f}\u{1}\u{8}\u{c}\"\\/\n"});
    assert_eq!(json(&value), r#"{"a": [1, 2.0, null, true], "\u00e9": "\ud83d\ude00\u007f\u0001\b\f\"\\/\n"}"#);
    assert_eq!(json_compact(&value), "{\"a\":[1,2.0,null,true],\"é\":\"\u{1f600}\u{7f}\\u0001\\b\\f\\\"\\\\/\\n\"}");
    assert_eq!(serde_json::from_str::<Value>(&json(&value)).unwrap(), value);
}

#[test]
fn sizes_are_those_of_the_texts() {
    let values = [
        json!({"a": [1, 2.0, null, true, false], "\u{e9}": "\u{1f600}\u{7f}\u{1}\u{8}\u{c}\"\\/\n", "": {"k": [[], {}]}}),
        json!([[u64::MAX, -1, 1e300, 0.1], [""], "plain"]),
        json!(null),
    ];
    for value in values {
        assert_eq!(json_size(&value), json(&value).chars().count(), "{value}");
    }
}

#[test]
fn equality_crosses_number_kinds_and_ignores_member_order() {
    let same = [
        (json!(1), json!(1.0)),
        (json!(1), json!(true)),
        (json!(0.0), json!(false)),
        (json!({"a": 1, "b": [2]}), json!({"b": [2.0], "a": true})),
    ];
    let different = [
        (json!(1), json!("1")),
        (json!(null), json!(false)),
        (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992.0)),
        (json!([1, 2]), json!([2, 1])),
        (json!({"a": 1}), json!({"b": 1})),
        (json!(1), json!(1.5)),
    ];
    for (a, b) in same {
        assert!(equal(&a, &b) && equal(&b, &a), "{a} == {b}");
    }
    for (a, b) in different {
        assert!(!equal(&a, &b) && !equal(&b, &a), "{a} != {b}");
    }
}

#[test]
fn numbers_are_ordered_exactly() {
    let big = json!(u64::MAX);
    assert_eq!(compare_numbers(&big, &json!(1e300)), Some(Ordering::Less));
    assert_eq!(compare_numbers(&big, &json!(-1e300)), Some(Ordering::Greater));
    assert_eq!(compare_numbers(&json!(-1), &json!(-1.5)), Some(Ordering::Greater));
    assert_eq!(compare_numbers(&json!(1.5), &json!(1)), Some(Ordering::Greater));
    assert_eq!(compare_numbers(&json!("1"), &json!(1)), None);
}

#[test]
fn emptiness_and_zero_are_false() {
    for value in [json!(null), json!(false), json!(0), json!(0.0), json!(""), json!([]), json!({})] {
        assert!(!truthy(&value), "{value}");
    }
    for value in [json!(true), json!(-1), json!(0.1), json!(" "), json!([null]), json!({"a": null})] {
        assert!(truthy(&value), "{value}");
    }
}

#[test]
fn texts_parse_as_python_floats() {
    for (text, want) in [(" 1_000.5 ", Some(1000.5)), ("+.5", Some(0.5)), ("1__0", None), ("_1", None), ("", None)] {
        assert_eq!(parse_float(text), want, "{text}");
    }
    assert_eq!(parse_float("-Infinity"), Some(f64::NEG_INFINITY));
}

#[test]
fn control_characters_are_dropped_everywhere_but_tab_and_line_ends() {
    let all: String = (0..=0x80u8).map(char::from).collect();
    let kept: String = "\t\n\r".chars().chain(' '..='~').chain(['\u{80}']).collect();
    assert_eq!(cleaned(json!([{"a\u{0}": all}])), json!([{"a": kept}]));
}

#[test]
fn any_float_reads_back_as_itself() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let float = f64::from_bits(state);
        if float.is_finite() {
            let text = float_repr(float);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), float.to_bits(), "{text}");
            assert!(text.contains(['.', 'e']), "{text}");
        }
    }
}
