use super::layers::{Sources, load};
use super::*;

fn from_text(text: &str) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heddle.toml");
    std::fs::write(&path, text).unwrap();
    load(&Sources { config: Some(path.clone()), ..Sources::default() })
        .map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
}

fn sources(file: &str, environment: &[(&str, &str)], set: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heddle.toml");
    std::fs::write(&path, file).unwrap();
    let sources = Sources {
        default_config: Some(path),
        environment: environment.iter().map(|(k, v)| (k.into(), v.into())).collect(),
        set: set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..Sources::default()
    };
    (folder, sources)
}

#[test]
fn a_refusal_names_key_line_and_what_would_be_valid() {
    let cases = [
        ("[server]\nlisten = \"nowhere\"", "server.listen: \"nowhere\" cannot be used, at FILE:2; valid: ADDRESS:PORT"),
        ("\n\n[server]\nlisten = 8006", "server.listen: 8006 cannot be used, at FILE:4"),
        ("server.lisen = \"x\"", "server.lisen: no such setting, at FILE:1; valid: server.listen, server.public_url"),
        ("[sever]\nlisten = \"x\"", "sever: no such setting, at FILE:1; valid: server.listen"),
        ("[limits]\njson_depth = 0", "limits.json_depth: 0 cannot be used, at FILE:2; valid: a whole number from 1"),
        ("[limits]\njson_depth = 1.5", "limits.json_depth: a number with a fraction cannot be used, at FILE:2"),
        ("[log]\nlevel = \"loud\"", "log.level: \"loud\" cannot be used, at FILE:2; valid: error, warn"),
        ("[log]\n\nformat = true", "log.format: true cannot be used, at FILE:3; valid: text or json"),
        (
            "[database]\nurl = \"mysql://u:secret@x/y\"",
            "database.url: \"mysql://u:*@x/y\" cannot be used, at FILE:2; valid: sqlite:",
        ),
        ("[database]\nurl = \"sqlite:other.db\"", "database.url: \"sqlite:other.db\" cannot be used, at FILE:2"),
        (
            "[database]\nurl = \"postgres://u:secret@x/y?sslmode=prefer\"",
            "database.url: \"postgres://u:*@x/y?sslmode=prefer\"",
        ),
        (
            "[smtp]\nurl = \"smtp://a:secret@x/y\"",
            "smtp.url: \"smtp://a:*@x/y\" cannot be used, at FILE:2; valid: smtps://",
        ),
        ("[smtp]\nfrom = \"nobody\"", "smtp.from: \"nobody\" cannot be used, at FILE:2; valid: an address"),
        ("[api]\nv1_sunset = \"soon\"", "api.v1_sunset: \"soon\" cannot be used, at FILE:2; valid: a day such as"),
        (
            "[api]\nv1_deprecated = 2026-10-01\nv1_sunset = \"2026-09-30\"",
            "api.v1_sunset: \"2026-09-30\" cannot be used, at FILE:3; valid: a day that is not before api.v1_dep",
        ),
        ("[auth]\nsignup = true", "auth.signup: true cannot be used, at FILE:2; valid: closed or open"),
        ("[files]\nurl = \"s3://x\"", "files.url: not in this release, at FILE:2"),
        (
            "[providers.openai]\nbase_url = \"ftp://x\"",
            "providers.openai.base_url: \"ftp://x\" cannot be used, at FILE:2; valid: an http or https URL",
        ),
        ("[providers.openai]\napi_key = 7", "providers.openai.api_key: * cannot be used, at FILE:2; valid: a key"),
        (
            "[providers.opnai]\n\napi_key = \"k\"",
            "providers.opnai.api_key: no such setting, at FILE:3; valid: the name of a provider",
        ),
        ("[connectors]\ndir = \"/nonexistent\"", "connectors.dir: /nonexistent: "),
        ("[providers.openai]\nkey = \"k\"", "providers.openai.key: no such setting, at FILE:2"),
        (
            "[outbound]\nallow = [\"a:1\", \"b\"]",
            "outbound.allow: [\"a:1\", \"b\"] cannot be used, at FILE:2; valid: a list of",
        ),
        (
            "[outbound]\nallow = \"http://a:1\"",
            "outbound.allow: \"http://a:1\" cannot be used, at FILE:2; valid: a list of",
        ),
        (
            "[telemetry]\nmetrics_public = \"yes\"",
            "telemetry.metrics_public: \"yes\" cannot be used, at FILE:2; valid: true",
        ),
        (
            "[telemetry]\notlp_url = \"h:4318\"",
            "telemetry.otlp_url: \"h:4318\" cannot be used, at FILE:2; valid: an http",
        ),
        ("[server]\nlisten = \n", "FILE:2: "),
        ("[server]\npublic_url = \"ftp://x\"", "server.public_url: \"ftp://x\" cannot be used, at FILE:2"),
        ("[server]\ncors_origins = [1]", "server.cors_origins: a list of other things than texts cannot be used"),
        ("[server.listen]\nport = 1", "server.listen: a table cannot be used, at FILE:1"),
    ];
    for (text, expected) in cases {
        let error = from_text(text).unwrap_err();
        assert!(error.starts_with(expected), "{text:?} gave {error:?}");
    }
}

#[test]
fn later_layers_win() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\nworkers = 1\n[limits]\njson_depth = 10\n";
    let environment = [("HEDDLE_SERVER__LISTEN", "127.0.0.1:2"), ("HEDDLE_SERVER__WORKERS", "2"), ("HEDDLE_DATA", "x")];
    let (_folder, mut sources) = sources(file, &environment, &[("server.listen", "127.0.0.1:3")]);
    let settings = load(&sources).unwrap();
    assert_eq!((settings.listen.port(), settings.workers, settings.json_depth), (3, 2, 10));
    sources.listen = Some("127.0.0.1:4".to_owned());
    assert_eq!(load(&sources).unwrap().listen.port(), 4);
}

#[test]
fn lists_in_variables_are_json_or_separated_by_commas() {
    for text in ["https://a.example,https://b.example", "[\"https://a.example\", \"https://b.example\"]"] {
        let (_folder, sources) = sources("", &[("HEDDLE_SERVER__CORS_ORIGINS", text)], &[]);
        assert_eq!(load(&sources).unwrap().cors_origins, ["https://a.example", "https://b.example"]);
    }
}

#[test]
fn what_outbound_allows_reaches_the_blocks() {
    assert!(!Settings::default().platform().outbound.permits("localhost", [127, 0, 0, 1].into(), 1));
    let (_folder, sources) = sources("", &[("HEDDLE_OUTBOUND__ALLOW", "[::1]:3,localhost:1,10.0.0.0/8:2")], &[]);
    let settings = load(&sources).unwrap();
    let shown = settings.effective().into_iter().find(|(name, ..)| *name == "outbound.allow").unwrap().1;
    assert_eq!(shown, serde_json::json!(["[::1]:3", "localhost:1", "10.0.0.0/8:2"]));
    let policy = settings.platform().outbound;
    assert!(policy.permits("localhost", [127, 0, 0, 1].into(), 1));
    assert!(!policy.permits("localhost", [127, 0, 0, 1].into(), 2));
}

#[test]
fn a_databases_password_is_never_shown() {
    let (_folder, sources) = sources("", &[("HEDDLE_DATABASE__URL", "postgres://u:hunter2@localhost/x")], &[]);
    let settings = load(&sources).unwrap();
    let shown = settings.effective().into_iter().find(|(name, ..)| *name == "database.url").unwrap().1;
    assert_eq!(shown, "postgres://u:*@localhost/x");
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert!(!settings.database(Path::new("heddle.db")).is_file());
    assert!(Settings::default().database(Path::new("heddle.db")).is_file());
}

#[test]
fn metrics_are_public_only_when_that_is_said() {
    assert!(!Settings::default().metrics_public);
    assert!(from_text("[telemetry]\nmetrics_public = true").unwrap().metrics_public);
    let (_folder, sources) = sources("", &[("HEDDLE_TELEMETRY__METRICS_PUBLIC", "true")], &[]);
    assert!(load(&sources).unwrap().metrics_public);
}

#[test]
fn finished_runs_are_kept_for_ever_or_for_days() {
    assert_eq!(Settings::default().platform().retention, None);
    for (text, days) in [("30", Some(30)), ("\"7\"", Some(7)), ("\"unlimited\"", None)] {
        let settings = from_text(&format!("[engine]\nretention_days = {text}")).unwrap();
        assert_eq!(settings.platform().retention, days.map(|days| Duration::from_secs(days * 24 * 3600)), "{text}");
    }
    for text in ["0", "-1", "\"for ever\"", "0.5"] {
        let error = from_text(&format!("[engine]\nretention_days = {text}")).unwrap_err();
        assert!(error.contains("valid: a whole number of days"), "{error}");
    }
}

#[test]
fn unknown_variables_and_flags_are_refused_too() {
    let (_folder, from_variable) = sources("", &[("HEDDLE_SERVER__LISTENS", "x")], &[]);
    let error = load(&from_variable).unwrap_err().to_string();
    assert!(error.starts_with("server.listens: no such setting, at environment variable HEDDLE_SERVER__LISTENS"));
    let (_folder, later) = sources("", &[("HEDDLE_PROVIDERS__OPEN_ROUTER__URL", "http://x")], &[]);
    let error = load(&later).unwrap_err().to_string();
    assert!(error.starts_with("providers.open_router.url: no such setting"), "{error}");
    let (_folder, from_flag) = sources("", &[], &[("files.url", "s3://x")]);
    assert!(load(&from_flag).unwrap_err().to_string().starts_with("files.url: not in this release, at flag --set"));
}

#[test]
fn a_missing_file_is_only_refused_when_it_was_asked_for() {
    let absent = PathBuf::from("/nonexistent/heddle.toml");
    assert!(load(&Sources { default_config: Some(absent.clone()), ..Sources::default() }).is_ok());
    assert!(load(&Sources { config: Some(absent), ..Sources::default() }).is_err());
}

#[test]
fn public_urls_keep_their_prefix_and_lose_the_last_slash() {
    let settings = from_text("[server]\npublic_url = \"https://agents.example.org/heddle/\"").unwrap();
    assert_eq!(settings.public_url.unwrap(), "https://agents.example.org/heddle");
}

#[test]
fn what_is_set_of_a_provider_reaches_the_use_cases_and_its_secrets_are_masked() {
    let file = "[providers.openai]\napi_key = \"sk-hunter2\"\n[providers.github]\nclient_id = \"id\"\n";
    let environment = [
        ("HEDDLE_PROVIDERS__OPEN_ROUTER__BASE_URL", "http://127.0.0.1:9/v1/"),
        ("HEDDLE_PROVIDERS__GITHUB__CLIENT_SECRET", "hunter2"),
    ];
    let (_folder, sources) = sources(file, &environment, &[("providers.openai.base_url", "http://127.0.0.1:8")]);
    let settings = load(&sources).unwrap();
    let known = settings.platform().providers.unwrap();
    assert_eq!(known.base_url("open_router").unwrap().as_str(), "http://127.0.0.1:9/v1");
    assert_eq!(known.base_url("openai").unwrap().as_str(), "http://127.0.0.1:8/");
    assert_eq!(known.overrides("openai").unwrap().api_key.as_ref().unwrap().expose(), "sk-hunter2");
    let effective = settings.effective();
    let shown: Vec<_> = effective.iter().filter(|(name, ..)| name.starts_with("providers.")).collect();
    let names: Vec<_> = shown.iter().map(|(name, value, _)| format!("{name}={}", value.as_str().unwrap())).collect();
    assert_eq!(
        names,
        [
            "providers.github.client_id=id",
            "providers.github.client_secret=*",
            "providers.open_router.base_url=http://127.0.0.1:9/v1",
            "providers.openai.base_url=http://127.0.0.1:8/",
            "providers.openai.api_key=*",
        ]
    );
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert!(shown[0].2.ends_with("heddle.toml:4"), "{}", shown[0].2);
}
