//! scratch
use std::time::Instant;
use heddle_blocks::*;
use heddle_engine::ports::*;
use heddle_model::*;
fn main() {
    let t=Instant::now(); let reg=Registry::standard(); let n=reg.served().count(); println!("served {n} {:?}", t.elapsed());
    let t=Instant::now(); let _=reg.facts("3b191d9f-356f-482d-8238-ba04b6d18381"); println!("smart {:?}", t.elapsed());
    let v: Object = serde_json::from_str(r#"{"x":"hello","n":3}"#).unwrap();
    for (tpl) in ["Hello {{ x }}!", "{{ x|upper }} {{ n + 1 }}", "plain", "{% for i in range(n) %}{{ i }}{% endfor %}"] {
        template::render(tpl,&v,false).unwrap();
        let t=Instant::now(); for _ in 0..100000 { std::hint::black_box(template::render(tpl,&v,false).unwrap()); } println!("{tpl}: {:?}", t.elapsed()/100000);
    }
    let t=Instant::now(); for i in 0..1000 { std::hint::black_box(template::render(&format!("{{{{ x }}}} {i}"),&v,false).unwrap()); } println!("cold: {:?}", t.elapsed()/1000);
    let cx=Context{user:UserId::from_random([1;16]),time_zone:None,now:Time(0),seed:1,place:None};
    for (id,input) in [("1ff065e9-88e8-4358-9d82-8dc91f622ba9",r#"{"input":"x"}"#),("db7d8f02-2f44-4c55-ab7a-eae0941f0c30",r#"{"values":{"x":"a"},"format":"{{ x }}!"}"#),("363ae599-353e-4804-937e-b2ee3cef3da4",r#"{"name":"o","value":1}"#),("715696a0-e1da-45c8-b209-c2fa9c3b0be6",r#"{"value1":1,"operator":"==","value2":"1"}"#),("3146e4fe-2cdd-4f29-bd12-0c9d5bb4deb0",r#"{"text":"a 12 b","pattern":"\\d+"}"#)] {
        let f=reg.facts(id).unwrap(); let o: Object=serde_json::from_str(input).unwrap();
        reg.run_now(&f,o.clone(),&cx).1.unwrap();
        let t=Instant::now(); for _ in 0..100000 { std::hint::black_box(reg.run_now(&f,o.clone(),&cx)); } println!("{}: {:?}", f.name, t.elapsed()/100000);
    }
    for tpl in ["{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}","{{ ('a' * 90000000) ~ ('a' * 90000000) }}","{{ ('a' * 60000000)|list|length }}","{{ ('a ' * 30000000).split()|length }}","{{ ('a' * 60000000).join(range(10)|map('string')|list) }}","{{ range(10)|join('a' * 60000000) }}","{{ 'a b'|wordwrap(1, wrapstring='x' * 1000000)|wordwrap(1, wrapstring='x' * 1000000) }}", "{{ ('<' * 60000000)|e }}", "{{ ('a b' * 20000000)|title }}","{{ ('a b' * 20000000)|wordcount }}"] {
        let t=Instant::now(); let r=template::render(tpl,&v,false).map(|s|s.len()); println!("{tpl}: {:?} {:?}", t.elapsed(), r);
    }
}
