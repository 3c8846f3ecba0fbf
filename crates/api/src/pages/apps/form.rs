//! The forms of applications, and what is read from them.

use crate::pages::keys::title;
use crate::pages::{Fields, Visit, csrf, field};
use heddle_model::Scope;
use heddle_platform::authorization::Change;
use heddle_platform::authorization::rules::Client;
use heddle_platform::authorization::rules::client::GrantType;
use heddle_platform::authorization::rules::draft::Draft;
use heddle_platform::authorization::rules::oidc::Algorithm;
use maud::{Markup, html};

/// What a form is filled with.
struct Shown {
    name: String,
    description: String,
    logo_url: String,
    redirect_uris: String,
    scopes: Vec<Scope>,
    requires_pushed: bool,
    id_token_algorithm: Algorithm,
}

impl Shown {
    fn given(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            logo_url: text("logo_url"),
            redirect_uris: text("redirect_uris"),
            scopes: scopes(fields),
            requires_pushed: is_ticked(fields, "requires_pushed"),
            id_token_algorithm: algorithm(fields),
        }
    }

    fn of(app: &Client) -> Self {
        Self {
            name: app.name.clone(),
            description: app.description.clone().unwrap_or_default(),
            logo_url: app.logo_url.clone().unwrap_or_default(),
            redirect_uris: app.redirect_uris.join("\n"),
            scopes: app.scopes.clone(),
            requires_pushed: app.requires_pushed,
            id_token_algorithm: app.id_token_algorithm,
        }
    }
}

/// For a new application.
pub fn create(visit: &Visit, action: &str, given: &Fields) -> Markup {
    let is_public = given.get("type") == "public";
    html! {
        form method="post" action=(action) {
            (csrf(visit))
            (common(&Shown::given(given)))
            fieldset {
                legend { "Type" }
                p { label { input type="radio" name="type" value="confidential" checked[!is_public]; " It runs on a server and can keep a secret" } }
                p { label { input type="radio" name="type" value="public" checked[is_public]; " It runs in a browser or on people’s devices" } }
            }
            button { "Create application" }
        }
    }
}

/// For one that is there. `given` is what was sent and not taken.
pub fn edit(visit: &Visit, action: &str, app: &Client, given: Option<&Fields>, is_operator: bool) -> Markup {
    let shown = given.map_or_else(|| Shown::of(app), Shown::given);
    let is = |name: &str, now: bool| given.map_or(now, |fields| is_ticked(fields, name));
    html! {
        form method="post" action=(action) {
            (csrf(visit))
            (common(&shown))
            fieldset {
                legend { "Rules" }
                p { (tick("requires_pushed", shown.requires_pushed, "It must push its requests")) }
                p { (es256(&shown)) }
                @if is_operator {
                    p { (tick("is_trusted", is("is_trusted", app.is_trusted), "Trusted: people are not asked")) }
                    p { (tick("is_resource_server", is("is_resource_server", app.is_resource_server), "It may look at tokens of other applications")) }
                    p { (tick("allows_plain", is("allows_plain", app.allows_plain), "It may use plain challenges (old programs)")) }
                }
            }
            button { "Save" }
        }
    }
}

/// For a logo that is kept here.
pub fn logo(visit: &Visit, action: &str) -> Markup {
    html! {
        form method="post" action=(action) enctype="multipart/form-data" {
            (csrf(visit))
            div.field {
                label for="file" { "Picture" }
                input id="file" name="file" type="file" required accept="image/png,image/jpeg,image/webp" aria-describedby="logo-hint";
                p.hint id="logo-hint" {
                    "PNG, JPEG or WebP, square, 512 to 2048 pixels a side, at most 3 MB. It takes the place of the address above."
                }
            }
            button.quiet { "Upload" }
        }
    }
}

fn common(shown: &Shown) -> Markup {
    html! {
        (field("Name", "name", "text", "off", &shown.name, true))
        (field("Description", "description", "text", "off", &shown.description, false))
        (field("Address of a logo", "logo_url", "url", "off", &shown.logo_url, false))
        p.hint { "The https address of a square picture; empty for none. A picture of yours can be uploaded once the application is there." }
        div.field {
            label for="redirect_uris" { "Redirect URIs" }
            textarea id="redirect_uris" name="redirect_uris" rows="3" required spellcheck="false" autocapitalize="none"
                aria-describedby="redirect-hint" { "\n" (shown.redirect_uris) }
            p.hint id="redirect-hint" {
                "One a line, compared letter by letter. https, or http on the person’s own machine, or a scheme of your program."
            }
        }
        fieldset {
            legend { "Permissions" }
            p.hint { "The most that the application may ask people for." }
            p {
                button.quiet type="button" data-tick="all" hidden { "Tick all" }
                button.quiet type="button" data-tick="none" hidden { "Tick none" }
            }
            div.ticks {
                @for scope in Scope::ALL {
                    label { input type="checkbox" name="scopes" value=(scope) checked[shown.scopes.contains(scope)]; " " (title(*scope)) }
                }
            }
        }
    }
}

fn es256(shown: &Shown) -> Markup {
    tick("es256", shown.id_token_algorithm == Algorithm::Es256, "Its ID tokens are signed with ES256, not RS256")
}

fn algorithm(fields: &Fields) -> Algorithm {
    if is_ticked(fields, "es256") { Algorithm::Es256 } else { Algorithm::Rs256 }
}

fn tick(name: &str, is_ticked: bool, text: &str) -> Markup {
    html! { label { input type="checkbox" name=(name) value="yes" checked[is_ticked]; " " (text) } }
}

fn is_ticked(fields: &Fields, name: &str) -> bool {
    fields.get(name) == "yes"
}

fn scopes(fields: &Fields) -> Vec<Scope> {
    Scope::ALL.iter().copied().filter(|scope| fields.all("scopes").any(|name| name == scope.as_str())).collect()
}

fn lines(fields: &Fields) -> Vec<String> {
    fields.get("redirect_uris").lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn text(fields: &Fields, name: &str) -> Option<String> {
    fields.filled(name).map(str::to_owned)
}

/// What a new application is asked for as.
pub fn draft(fields: &Fields) -> Draft {
    Draft {
        name: fields.get("name").to_owned(),
        description: text(fields, "description"),
        logo_url: text(fields, "logo_url"),
        redirect_uris: lines(fields),
        grant_types: GrantType::ALL.to_vec(),
        scopes: scopes(fields),
        is_public: fields.get("type") == "public",
        requires_pushed: false,
        id_token_algorithm: Default::default(),
    }
}

/// What is to change. What only operators may say is not read from others' forms.
pub fn change(fields: &Fields, is_operator: bool) -> Change {
    let ruled = |name: &str| is_operator.then(|| is_ticked(fields, name));
    Change {
        name: Some(fields.get("name").to_owned()),
        description: Some(text(fields, "description")),
        logo_url: Some(text(fields, "logo_url")),
        redirect_uris: Some(lines(fields)),
        scopes: Some(scopes(fields)),
        default_scopes: None,
        requires_pushed: Some(is_ticked(fields, "requires_pushed")),
        id_token_algorithm: Some(algorithm(fields)),
        is_trusted: ruled("is_trusted"),
        is_resource_server: ruled("is_resource_server"),
        allows_plain: ruled("allows_plain"),
    }
}
