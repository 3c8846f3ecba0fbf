//! Templates against what Python's Jinja2 makes of them.

use heddle_blocks::template::{Error, render};
use heddle_model::Object;
use serde_json::json;

#[test]
fn templates_render_as_in_jinja2() {
    let mut cases = crate::common::cases(include_str!("../cases/templates.jsonl")).into_iter();
    let values = cases.next().expect("the first line holds the values")["values"].clone();
    let values = values.as_object().expect("values by name");
    let mut wrong = Vec::new();
    for case in cases {
        let template = case["template"].as_str().expect("a template");
        for (escape, pin) in [(false, "output"), (true, "escaped")] {
            let expected = case[pin].as_str().or(case["output"].as_str());
            let rendered = render(template, values, escape);
            if rendered.as_deref().ok() != expected {
                wrong.push(format!("{template:?}\n  expected {expected:?}\n  rendered {rendered:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn failures_speak_as_jinja2_does() {
    let values = json!({"o": "x", "l": [{"a": 1}], "n": null});
    let cases = [
        ("{{ o", "unexpected end of template, expected 'end of print statement'."),
        ("{{ o|nope }}", "No filter named 'nope'."),
        ("{{ o is nope }}", "No test named 'nope'."),
        ("{{ nope() }}", "'nope' is undefined"),
        ("{{ a.b }}", "'a' is undefined"),
        ("{{ a.b.c }}", "'a' is undefined"),
        ("{{ a + 1 }}", "'a' is undefined"),
        ("{% for i in l %}{{ i.x.y }}{% endfor %}", "'dict object' has no attribute 'x'"),
        ("{{ o.x.y }}", "'str object' has no attribute 'x'"),
        ("{{ l[5].y }}", "list object has no element 5"),
        ("{{ l[0]['k'].y }}", "'dict object' has no attribute 'k'"),
        ("{{ l.0.k.y }}", "'dict object' has no attribute 'k'"),
        ("{{ n.x.y }}", "'None' has no attribute 'x'"),
        ("{{ a() }}", "'a' is undefined"),
        ("{{ a.b() }}", "'a' is undefined"),
        ("{% for x in n %}{% endfor %}", "'NoneType' object is not iterable"),
        ("{% for x in l[0].a %}{% endfor %}", "'int' object is not iterable"),
        ("{{ n|list }}", "'NoneType' object is not iterable"),
        ("{{ n|sort }}", "'NoneType' object is not iterable"),
        ("{{ n|join }}", "'NoneType' object is not iterable"),
        ("{% for x in a.b %}{% endfor %}", "'a' is undefined"),
        ("{{ 'x' ~ a.b }}", "'a' is undefined"),
        ("{{ o.nope() }}", "'str object' has no attribute 'nope'"),
    ];
    for (template, expected) in cases {
        let failed = render(template, values.as_object().expect("values"), false);
        assert_eq!(failed, Err(Error::Template(expected.to_owned())), "{template}");
    }
}

#[test]
fn what_a_template_asks_for_is_bounded() {
    let values = Object::from_iter([("s".to_owned(), json!("x".repeat(10_000)))]);
    let templates = [
        "{{ range(10001)|list }}",
        "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
        "{% for a in range(10000) %}{% for b in range(100) %}{{ s }}{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 'a'.center(100000000) }}",
        "{{ 'a'|center(100000000) }}",
        "{{ s|replace('', s) }}",
        "{{ s.replace('', s) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '{:{}}'.format(1, 1000000000) }}",
        "{{ 1|format('%1000000000d') }}",
        "{{ ('a' * 90000000) ~ ('a' * 90000000) }}",
        "{{ ('a' * 60000000).join(range(10)|map('string')|list) }}",
        "{{ range(10)|join('a' * 60000000) }}",
        "{{ ('a ' * 30000000).split()|length }}",
        "{{ ('a' * 60000000)|list|length }}",
        "{{ s|indent(1000000)|indent(1000000) }}x{{ 'a\nb\nc'|indent(10000000) }}",
        "{{ 'a b'|wordwrap(1, wrapstring='x' * 1000000)|wordwrap(1, wrapstring='x' * 1000000) }}",
    ];
    for template in templates {
        assert!(render(template, &values, false).is_err(), "{template}");
    }
    // Chains within chains: deep ones may be refused, but must not take for ever.
    let nested = |depth: usize| (0..depth).fold("1".to_owned(), |inner, _| format!("(0 < ({inner}) < 9)"));
    assert_eq!(render(&format!("{{{{ {} }}}}", nested(5)), &values, false).as_deref(), Ok("True"));
    let _ = render(&format!("{{{{ {} }}}}", nested(45)), &values, false);
    let deep = format!("{{{{ {}1{} < 2 }}}}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(render(&deep, &values, false).is_err());
}

#[test]
fn long_loops_end_well() {
    let template = "{% for a in range(1000) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}";
    assert_eq!(render(template, &Object::new(), false).map(|text| text.len()), Ok(1_000_000));
    let template = "{% for a in range(1000) %}{% for b in range(1000) %}{{ s }}{% endfor %}{% endfor %}";
    let values = Object::from_iter([("s".to_owned(), json!("x"))]);
    assert_eq!(render(template, &values, false).map(|text| text.len()), Ok(1_000_000));
}

#[test]
fn text_without_markup_is_kept_but_for_its_last_line_end() {
    for (source, expected) in [("a\n", "a"), ("a\n\n", "a\n"), ("a\r\nb\r", "a\nb"), ("", ""), ("{ a }", "{ a }")] {
        assert_eq!(render(source, &Object::new(), false).as_deref(), Ok(expected), "{source:?}");
    }
}

#[test]
fn values_are_not_templates() {
    let values = Object::from_iter([("a".to_owned(), json!("{{ b }}")), ("b".to_owned(), json!("secret"))]);
    assert_eq!(render("{{ a }}", &values, false).as_deref(), Ok("{{ b }}"));
}
