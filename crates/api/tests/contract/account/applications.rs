//! Applications in the settings: what is allowed, one's own, and operators' pages.

use super::authorize::{CALLBACK, allow, app, draft, server};
use super::browser::{Browser, PASSWORD, account, form, text};
use crate::testbed::{NOBODY, Testbed, without_ids};
use heddle_api::{ApiSettings, Setting};
use heddle_platform::authorization::By;
use heddle_platform::authorization::rules::draft::Draft;

const OWN: &str = "/settings/oauth-apps";
const ALL: &str = "/admin/applications";
const FIELDS: [(&str, &str); 6] = [
    ("name", "Looms"),
    ("description", "Weaves"),
    ("redirect_uris", "https://looms.example/cb\r\n\r\n http://127.0.0.1/cb "),
    ("scopes", "IDENTITY"),
    ("scopes", "RUN_AGENT"),
    ("type", "confidential"),
];

/// A browser in which an operator is signed in.
async fn operator(bed: &Testbed) -> Browser<'_> {
    account(bed, "root", true).await;
    let mut root = Browser::new(bed);
    root.sign_in("root", "").await;
    root
}

/// What a page shows under an id.
fn shown(page: &str, id: &str) -> String {
    page.split(&format!("<code id=\"{id}\">")).nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// Makes an application of one's own: its page, and the secret.
async fn make(browser: &mut Browser<'_>) -> (String, String) {
    let made = browser.post(OWN, &FIELDS).await;
    let page = text(&made);
    assert_eq!(made.status, 200, "{page}");
    let path = page.split(&format!("href=\"{OWN}/")).nth(1).unwrap().split('"').next().unwrap();
    (format!("{OWN}/{path}"), shown(&page, "secret"))
}

#[tokio::test]
async fn what_an_application_may_do_is_shown_and_ends_when_it_is_revoked() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    let (mut ada, mut bob) = (Browser::of(&bed, "ada").await, Browser::of(&bed, "bob").await);
    assert!(ada.page("/settings/applications").await.contains("No application may act for you."));
    let tokens = [allow(&mut ada, &app).await, allow(&mut bob, &app).await];
    let page = ada.page("/settings/applications").await;
    for part in
        ["Looms &amp; &lt;b&gt;Sons&lt;/b&gt;", "Run your agents.", "First allowed <time", "aria-current=\"page\""]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<img"), "a picture from elsewhere would tell that the page was opened");
    let path = "/settings/applications/revoke";
    let fields = [("client_id", app.client_id.as_str())];
    let foreign = form(bed.ask("POST", path), &fields).header("sec-fetch-site", "cross-site");
    assert_eq!(ada.send(foreign).await.status, 403);
    let opens = async |token: &str| {
        bed.get("/me").header("authorization", &format!("Bearer {token}")).send().await.status.as_u16()
    };
    assert_eq!(opens(&tokens[0]).await, 200);
    let revoked = ada.post(path, &fields).await;
    assert_eq!(revoked.header("location"), "/settings/applications?said=grant-revoked");
    assert_eq!((opens(&tokens[0]).await, opens(&tokens[1]).await), (401, 200), "only what is hers");
    for client_id in [app.client_id.as_str(), "agpt_client_none", ""] {
        assert_eq!(ada.post(path, &[("client_id", client_id)]).await.status, 404, "{client_id}");
    }
}

#[tokio::test]
async fn an_application_is_made_changed_switched_given_a_new_secret_and_deleted() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    assert_eq!(ada.get("/profile/oauth-apps").await.header("location"), OWN);
    assert!(ada.page(OWN).await.contains("There are no applications yet."));
    let (path, secret) = make(&mut ada).await;
    assert!(secret.starts_with("agpt_secret_"), "{secret}");
    let page = ada.page(&path).await;
    assert!(page.contains("https://looms.example/cb\nhttp://127.0.0.1/cb</textarea>"), "{page}");
    assert!(page.contains("value=\"RUN_AGENT\" checked") && !page.contains("value=\"READ_RUN\" checked"), "{page}");
    assert!(!page.contains("is_trusted"), "that is for operators to say");
    let client_id = shown(&page, "client-id");
    for path in [OWN, &path] {
        let page = ada.page(path).await;
        assert!(page.contains(&client_id) && !page.contains(&secret), "{path}");
    }

    let changed = [("name", "Frames"), ("redirect_uris", CALLBACK), ("scopes", "READ_RUN"), ("is_trusted", "yes")];
    let saved = ada.post(&path, &changed).await;
    assert_eq!((saved.status.as_u16(), saved.header("location")), (303, &*format!("{path}?said=saved")));
    let app = bed.platform.authorization.app_named(&client_id).await.unwrap();
    assert_eq!((app.name.as_str(), app.is_trusted, app.scopes.len()), ("Frames", false, 1));

    let refused =
        ada.post(&path, &[("name", "<i>Other"), ("redirect_uris", "javascript:x"), ("scopes", "READ_RUN")]).await;
    let page = text(&refused);
    assert_eq!(refused.status, 422);
    for part in ["role=\"alert\"", "value=\"&lt;i&gt;Other\"", "javascript:x</textarea>"] {
        assert!(page.contains(part), "{part}: {page}");
    }

    let rotated = ada.post(&format!("{path}/secret"), &[]).await;
    let new = shown(&text(&rotated), "secret");
    assert!(new != secret && new.starts_with("agpt_secret_"));
    assert!(ada.page(&path).await.contains("The one before works until <time"));
    for (what, said, is_active) in [("disable", "app-off", false), ("enable", "app-on", true)] {
        let answer = ada.post(&format!("{path}/{what}"), &[]).await;
        assert_eq!(answer.header("location"), format!("{path}?said={said}"));
        assert_eq!(bed.platform.authorization.app_named(&client_id).await.unwrap().is_active, is_active);
    }
    let deleted = ada.post(&format!("{path}/delete"), &[]).await;
    assert_eq!(deleted.header("location"), format!("{OWN}?said=app-deleted"));
    assert_eq!(ada.get(&path).await.status, 404);
}

#[tokio::test]
async fn an_application_that_cannot_be_is_not_made_and_nothing_typed_is_lost() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    for (name, value) in [
        ("name", ""),
        ("name", "x\u{202e}y"),
        ("redirect_uris", ""),
        ("redirect_uris", "http://looms.example/cb"),
        ("redirect_uris", "https://looms.example/#x"),
        ("redirect_uris", "data:text/html,x"),
        ("logo_url", "http://looms.example/l.png"),
        ("scopes", "EVERYTHING"),
    ] {
        let mut fields: Vec<_> = FIELDS.iter().copied().filter(|(known, _)| *known != name).collect();
        fields.push((name, value));
        let refused = ada.post(OWN, &fields).await;
        let page = text(&refused);
        assert_eq!(refused.status, 422, "{name} {value}");
        assert!(page.contains("role=\"alert\"") && page.contains("value=\"Weaves\""), "{name} {value}: {page}");
    }
    let public = [FIELDS.as_slice(), &[("x", "y")]].concat();
    let public: Vec<_> =
        public.into_iter().map(|(name, value)| (name, if name == "type" { "public" } else { value })).collect();
    assert!(text(&ada.post(OWN, &public).await).contains("It is public, so there is no secret."));
}

#[tokio::test]
async fn somebody_elses_application_looks_missing_and_forms_from_elsewhere_are_refused() {
    let bed = server().await;
    let (mut ada, mut bob) = (Browser::of(&bed, "ada").await, Browser::of(&bed, "bob").await);
    let (path, _) = make(&mut ada).await;
    for end in ["/secret", "/disable", "/enable", "/delete", ""] {
        let mut pages = Vec::new();
        for path in [path.as_str(), &format!("{OWN}/{NOBODY}")] {
            let answer = bob.post(&format!("{path}{end}"), &FIELDS).await;
            assert_eq!(answer.status, 404, "{end}");
            pages.push(without_ids(&text(&answer)));
        }
        assert_eq!(pages[0], pages[1], "{end}");
        let foreign = form(bed.ask("POST", &format!("{path}{end}")), &FIELDS).header("sec-fetch-site", "cross-site");
        assert_eq!(ada.send(foreign).await.status, 403, "{end}");
        let bare = form(bed.ask("POST", &format!("{path}{end}")), &FIELDS);
        assert_eq!(ada.send(bare).await.status, 403, "{end}");
    }
    assert_eq!(bob.get(&path).await.status, 404);
    assert!(!bob.page(OWN).await.contains("Looms"));
    assert!(ada.page(&path).await.contains("Weaves"), "nothing has changed");
}

#[tokio::test]
async fn operators_pages_are_not_there_for_others() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    let mut ada = Browser::of(&bed, "ada").await;
    let missing = |path: &str| format!("{path}x");
    let one = format!("{ALL}/{}", app.id);
    for page in [ALL, &one, "/admin/accounts", "/admin/server"] {
        let (hidden, none) = (ada.get(page).await, ada.get(&missing("/settings/")).await);
        assert_eq!((hidden.status.as_u16(), text(&hidden)), (404, text(&none)), "{page}");
        assert_eq!(hidden.header("content-type"), none.header("content-type"), "{page}");
        let sent = Browser::new(&bed).get(page).await;
        assert!(sent.header("location").starts_with("/login?next=%2Fadmin"), "{page}");
    }
    for end in ["", "/secret", "/disable", "/enable", "/delete"] {
        assert_eq!(ada.post(&format!("{one}{end}"), &FIELDS).await.status, 404, "{end}");
    }
    for path in [ALL, "/admin/accounts", "/admin/accounts/disable", "/admin/accounts/enable", "/admin/accounts/reset"] {
        assert_eq!(ada.post(path, &[("email", "ada@example.org")]).await.status, 404, "{path}");
    }
    assert!(!ada.page("/settings/profile").await.contains("/admin/"));
    assert!(bed.platform.authorization.app(By::Operator, &app.id.to_string()).await.unwrap().is_active);
    let mut root = operator(&bed).await;
    let foreign = form(bed.ask("POST", "/admin/accounts/disable"), &[("email", "ada@example.org")]);
    assert_eq!(root.send(foreign.header("sec-fetch-site", "cross-site")).await.status, 403);
    assert!(ada.is_in().await);
}

#[tokio::test]
async fn operators_see_all_applications_and_say_which_are_trusted() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let (path, _) = make(&mut ada).await;
    let path = path.replace(OWN, ALL);
    let host = app(&bed, Draft { name: "Mill".to_owned(), ..draft() }).await;
    let mut root = operator(&bed).await;
    let list = root.page(ALL).await;
    for part in ["Looms", "Mill", "ada@example.org", &host.client_id] {
        assert!(list.contains(part), "{part}: {list}");
    }
    assert!(root.page(&path).await.contains("name=\"is_trusted\""));
    let fields = [FIELDS.as_slice(), &[("is_trusted", "yes")]].concat();
    assert_eq!(root.post(&path, &fields).await.header("location"), format!("{path}?said=saved"));
    let id = path.trim_start_matches(ALL).trim_start_matches('/');
    assert!(bed.platform.authorization.app(By::Operator, id).await.unwrap().is_trusted);
    assert_eq!(root.post(&format!("{path}/disable"), &[]).await.status, 303);
    assert!(ada.page(OWN).await.contains("Switched off"));
    assert_eq!(root.post(&format!("{path}/delete"), &[]).await.header("location"), format!("{ALL}?said=app-deleted"));
}

#[tokio::test]
async fn operators_make_disable_and_enable_accounts() {
    let bed = server().await;
    let mut root = operator(&bed).await;
    let made = root.post("/admin/accounts", &[("email", "ada@example.org"), ("name", "Ada")]).await;
    let link = shown(&text(&made), "link");
    let path = link.strip_prefix("https://agents.example.org").unwrap();
    let mut ada = Browser::new(&bed);
    assert_eq!(ada.get(path).await.status, 200);
    let token = path.rsplit_once('=').unwrap().1;
    let set = ada.post("/reset-password/set", &[("token", token), ("password", PASSWORD)]).await;
    assert_eq!(set.status, 303, "{}", text(&set));
    assert!(ada.is_in().await);
    assert_eq!(root.post("/admin/accounts", &[("email", "ada@example.org")]).await.status, 422, "there is one");

    let (ada_s, own) = ([("email", "ada@example.org")], [("email", "root@example.org")]);
    let off = root.post("/admin/accounts/disable", &ada_s).await;
    assert_eq!(off.header("location"), "/admin/accounts?said=account-off");
    assert!(!ada.is_in().await);
    assert!(root.page("/admin/accounts").await.contains("Disabled"));
    assert_eq!(root.post("/admin/accounts/reset", &ada_s).await.status, 422);
    let on = root.post("/admin/accounts/enable", &ada_s).await;
    assert_eq!(on.header("location"), "/admin/accounts?said=account-on");
    ada.sign_in("ada", "").await;
    assert!(ada.is_in().await);
    let renewed = text(&root.post("/admin/accounts/reset", &ada_s).await);
    assert_ne!(shown(&renewed, "link"), link);
    assert_eq!(root.post("/admin/accounts/disable", &own).await.status, 422, "nobody locks himself out");
    assert_eq!(root.post("/admin/accounts/disable", &[("email", "none@example.org")]).await.status, 404);
    assert!(root.is_in().await);
}

#[tokio::test]
async fn operators_see_the_settings_and_where_they_come_from() {
    let row = |name: &str, value: &str, origin: &str| {
        let text = str::to_owned;
        Setting { name: text(name), value: text(value), origin: text(origin) }
    };
    let overview = vec![row("smtp.url", "smtps://*@mail", "heddle.toml:3"), row("auth.signup", "<x>", "default")];
    let bed = Testbed::with(ApiSettings { overview, ..ApiSettings::default() }).await;
    let mut root = operator(&bed).await;
    let page = root.page("/admin/server").await;
    for part in ["smtp.url", "smtps://*@mail", "heddle.toml:3", "&lt;x&gt;", "http://127.0.0.1:8006"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(root.get("/admin").await.header("location"), "/admin/accounts");
}
