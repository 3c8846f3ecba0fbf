use super::*;
use heddle_outbound::Method;

fn secret() -> Secret<String> {
    Secret::new("hunter2 ü/?".to_owned())
}

fn providers() -> Providers {
    Providers::new(None, BTreeMap::new()).unwrap()
}

fn credential(providers: &Providers, provider: &str, material: Material) -> Credential {
    let base_url = providers.base_url(provider).cloned();
    Credential { id: "7".to_owned(), provider: provider.to_owned(), title: None, material, base_url }
}

fn key(providers: &Providers, provider: &str) -> Credential {
    credential(providers, provider, Material::ApiKey { key: Secret::new("hunter2".to_owned()) })
}

/// The request as it would go out, as text.
fn sent(request: &Request) -> String {
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {} ({})", value.to_str().unwrap(), value.is_sensitive()))
        .collect();
    format!("{} {}", request.target().unwrap(), headers.join(" "))
}

#[test]
fn secrets_go_where_the_provider_wants_them() {
    let providers = providers();
    for (provider, url, want) in [
        ("openai", "https://api.openai.com/v1/x", "https://api.openai.com/v1/x authorization: Bearer hunter2 (true)"),
        ("discord", "https://discord.com/api/v10/a", "https://discord.com/api/v10/a authorization: Bot hunter2 (true)"),
        ("anthropic", "https://api.anthropic.com/v1/m", "https://api.anthropic.com/v1/m x-api-key: hunter2 (true)"),
        ("linear", "https://api.linear.app/graphql", "https://api.linear.app/graphql authorization: hunter2 (true)"),
        ("jina", "https://r.jina.ai/http://x", "https://r.jina.ai/http://x authorization: Bearer hunter2 (true)"),
        (
            "openweathermap",
            "http://api.openweathermap.org/data/2.5/weather?q=x",
            "http://api.openweathermap.org/data/2.5/weather?q=x&appid=hunter2 ",
        ),
        ("telegram", "https://api.telegram.org/getMe", "https://api.telegram.org/bothunter2/getMe "),
    ] {
        let request = providers.attach(&key(&providers, provider), Request::get(url)).unwrap();
        assert_eq!(sent(&request), want);
    }
    let material = Material::UserPassword { username: Secret::new("ada".to_owned()), password: secret() };
    let request = Request::new(Method::GET, "https://api.dataforseo.com/v3/x");
    let request = providers.attach(&credential(&providers, "dataforseo", material), request).unwrap();
    assert_eq!(sent(&request), "https://api.dataforseo.com/v3/x authorization: Basic YWRhOmh1bnRlcjIgw7wvPw== (true)");
}

#[test]
fn what_is_in_a_secret_stays_in_its_place() {
    let providers = providers();
    let odd = |provider| credential(&providers, provider, Material::ApiKey { key: secret() });
    let request = providers.attach(&odd("telegram"), Request::get("https://api.telegram.org/getMe?a=b")).unwrap();
    assert_eq!(sent(&request), "https://api.telegram.org/bothunter2%20%C3%BC%2F%3F/getMe?a=b ");
    let request = providers.attach(&odd("wolfram"), Request::get("https://www.wolframalpha.com/api/v1/llm-api"));
    assert_eq!(sent(&request.unwrap()), "https://www.wolframalpha.com/api/v1/llm-api?appid=hunter2+%C3%BC%2F%3F ");
    let line = Material::ApiKey { key: Secret::new("a\r\nx: y".to_owned()) };
    let broken = providers.attach(&credential(&providers, "openai", line), Request::get("https://api.openai.com/"));
    assert!(matches!(broken, Err(Misplaced::Request(_))));
}

#[test]
fn no_secret_travels_to_a_host_that_its_provider_does_not_list() {
    let providers = providers();
    for provider in providers.iter() {
        let kinds = [
            Material::ApiKey { key: secret() },
            Material::OAuth2 { access_token: secret(), scopes: Vec::new() },
            Material::UserPassword { username: secret(), password: secret() },
        ];
        let base = provider.base_url.as_ref().and_then(Url::host_str).unwrap_or("api.openai.com").to_owned();
        for material in kinds {
            let credential = credential(&providers, &provider.name, material);
            for url in [
                "https://evil.example/".to_owned(),
                format!("https://{base}.evil.example/"),
                format!("https://{base}-evil.example/"),
                format!("https://evil.example/{base}"),
                format!("https://{base}@evil.example/"),
                format!("https://evil.example\\@{base}.evil.example/"),
                format!("https://{base}:8443/"),
                "https://127.0.0.1/".to_owned(),
                "http://169.254.169.254/".to_owned(),
            ] {
                let attached = providers.attach(&credential, Request::get(&url));
                assert!(matches!(attached, Err(Misplaced::Host { .. })), "{} {url}: {attached:?}", provider.name);
            }
        }
    }
}

#[test]
fn what_is_private_is_not_sent_in_clear() {
    let providers = providers();
    let attached = providers.attach(&key(&providers, "openai"), Request::get("http://api.openai.com/v1/x"));
    assert!(matches!(attached, Err(Misplaced::Host { .. })));
}

#[test]
fn a_credential_with_an_address_of_its_own_goes_there_alone() {
    let providers = providers();
    let own = |base: &str| Credential { base_url: Some(base.parse().unwrap()), ..key(&providers, "openai") };
    let here = own("http://127.0.0.1:9000/v1");
    assert!(providers.attach(&here, Request::get("http://127.0.0.1:9000/v1/chat")).is_ok());
    for url in ["https://api.openai.com/v1/x", "http://127.0.0.1:9001/v1", "https://127.0.0.1:9000/v1"] {
        assert!(providers.attach(&here, Request::get(url)).is_err(), "{url}");
    }
}

#[test]
fn an_operators_address_takes_the_place_of_the_providers() {
    let set = Overrides { base_url: Some("http://127.0.0.1:9000".parse().unwrap()), ..Overrides::default() };
    let providers = Providers::new(None, BTreeMap::from([("openai".to_owned(), set)])).unwrap();
    assert_eq!(providers.base_url("openai").unwrap().as_str(), "http://127.0.0.1:9000/");
    let key = key(&providers, "openai");
    assert!(providers.attach(&key, Request::get("http://127.0.0.1:9000/chat")).is_ok());
    assert!(providers.attach(&key, Request::get("http://127.0.0.1:9001/chat")).is_err());
    let unknown = Providers::new(None, BTreeMap::from([("nobody".to_owned(), Overrides::default())]));
    assert_eq!(unknown.unwrap_err().to_string(), "there is no provider \"nobody\"");
}

#[test]
fn headers_for_a_host_go_to_that_host() {
    let providers = providers();
    let headers = vec![("X-One".to_owned(), Secret::new("1".to_owned()))];
    let material = Material::HostScoped { host: "*.example.org".to_owned(), headers };
    let credential = credential(&providers, "http", material);
    let request = providers.attach(&credential, Request::get("https://a.example.org/")).unwrap();
    assert_eq!(sent(&request), "https://a.example.org/ x-one: 1 (true)");
    assert!(providers.attach(&credential, Request::get("https://example.com/")).is_err());
}

#[test]
fn a_folder_adds_providers_and_replaces_shipped_ones() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("mine.yaml", "title: Mine\nbase_url: https://mine.example\ncredentials:\n  api_key: {header: X-Key}\n");
    write("github.yaml", "title: Our GitHub\nbase_url: https://github.example/api/v3\n");
    write("README.md", "not a provider");
    let providers = Providers::new(Some(folder.path()), BTreeMap::new()).unwrap();
    assert_eq!(providers.get("mine").unwrap().title, "Mine");
    assert_eq!(providers.get("github").unwrap().title, "Our GitHub");
    write("broken.yaml", "title: x\nbase_url: 7\n");
    let error = Providers::new(Some(folder.path()), BTreeMap::new()).unwrap_err().to_string();
    assert!(error.contains("broken.yaml:2:"), "{error}");
}

#[test]
fn a_mistake_is_told_with_its_line() {
    for (text, line, part) in [
        ("title: T\nbase_url: ftp://x\n", 2, "is not an http or https URL without query"),
        ("title: T\nbase_ur: https://x\n", 2, "unknown field `base_ur`"),
        ("title: T\nhosts:\n  - a.example\n  - 'a b'\n", 4, "is not a host"),
        ("title: T\nbase_url: https://x\ncredentials:\n  api_kei: {header: X}\n", 4, "unknown variant `api_kei`"),
        ("title: T\nbase_url: https://x\ncredentials:\n  api_key: {header: 'a b'}\n", 4, "not the name of a header"),
        ("title: T\nbase_url: https://x\ncredentials:\n  api_key: {header: X, query: k}\n", 4, "exactly one"),
        ("title: T\nbase_url: https://x\ncredentials:\n  api_key: {path: 'bot'}\n", 4, "holds {secret}"),
        ("title: T\noauth:\n  authorize: https://x\n", 3, "missing field `token`"),
        ("title: T\n  base_url: x\n", 2, ""),
        ("base_url: https://x\n", 1, "missing field `title`"),
        ("title: T\ncredentials:\n  api_key: {header: X}\n", 1, "base_url or hosts is missing"),
        ("", 1, ""),
    ] {
        let mistake = Provider::read("x", text).expect_err(text);
        assert_eq!(mistake.line, line, "{text}: {mistake}");
        assert!(mistake.what.contains(part), "{text}: {mistake}");
    }
    assert!(Provider::read("Bad Name", "title: x\n").is_err());
}
