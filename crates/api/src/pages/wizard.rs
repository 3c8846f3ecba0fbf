//! The Integration Setup Wizard: an application sends a person to connect accounts, and gets the person back (`auth.md` 10).
//!
//! All that it knows stands in the address: what is asked for, and `chosen` for each account that the person has picked or
//! connected. Nothing of it reaches the application, which then asks with its own token what there is. A browser is sent
//! on only to what the application has registered, or after the person was shown the host and said yes.

mod asked;

use super::integrations::forms::{self, Adding};
use super::integrations::{kind, name};
use super::logo::logo;
use super::{Answer, Fields, Form, Member, csrf, redirect};
use asked::{Outcome, Wanted, display_name, leave, target, wanted};
use axum::response::{IntoResponse, Response};
use heddle_platform::authorization::rules::client::Client;
use heddle_platform::integrations::Kind;
use heddle_platform::{CredentialMeta, Error};
use http::StatusCode;
use maud::{Markup, html};
use url::Url;
use url::form_urlencoded::Serializer;

/// Where it stands.
pub const PATH: &str = "/auth/integrations/setup-wizard";

const INVALID: &str = "Invalid redirect_uri";

/// A setup as its address has it.
struct Setup {
    client_id: Option<String>,
    app: Option<Client>,
    providers: String,
    wanted: Vec<Wanted>,
    redirect_uri: String,
    /// Where that leads, if it may.
    target: Option<Url>,
    state: Option<String>,
    /// Provider and credential.
    chosen: Vec<(String, String)>,
}

/// What may be asked.
type Parameters = [(String, String)];

fn first<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

impl Setup {
    async fn read(member: &Member, parameters: &Parameters) -> Self {
        let client_id = first(parameters, "client_id").map(str::to_owned);
        let app = match &client_id {
            // One that is switched off is as good as none.
            Some(id) => member.app.platform.authorization.shown_app(id).await.ok(),
            None => None,
        };
        let redirect_uri = first(parameters, "redirect_uri").unwrap_or_default().to_owned();
        let registered = app.as_ref().map(|app| app.redirect_uris.as_slice()).unwrap_or_default();
        let is_allowed = registered.is_empty() || registered.contains(&redirect_uri);
        let providers = first(parameters, "providers").unwrap_or_default().to_owned();
        let pairs = parameters.iter().filter(|(name, _)| name == "chosen");
        let pairs = pairs.filter_map(|(_, value)| value.split_once(':'));
        Self {
            target: target(&redirect_uri).filter(|_| is_allowed),
            wanted: wanted(&providers).unwrap_or_default(),
            chosen: pairs.map(|(provider, id)| (provider.to_owned(), id.to_owned())).collect(),
            state: parameters.iter().find(|(name, _)| name == "state").map(|(_, state)| state.clone()),
            client_id,
            app,
            providers,
            redirect_uri,
        }
    }

    /// Whether its application has said where it may be gone to.
    fn is_registered(&self) -> bool {
        self.app.as_ref().is_some_and(|app| !app.redirect_uris.is_empty())
    }

    /// The address of the same setup with these choices.
    fn address(&self, chosen: &[(String, String)]) -> String {
        let mut query = Serializer::new(String::new());
        if let Some(id) = &self.client_id {
            query.append_pair("client_id", id);
        }
        query.append_pair("providers", &self.providers).append_pair("redirect_uri", &self.redirect_uri);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        for (provider, id) in chosen {
            query.append_pair("chosen", &format!("{provider}:{id}"));
        }
        format!("{PATH}?{}", query.finish())
    }

    /// The choices without a provider's.
    fn without(&self, provider: &str) -> Vec<(String, String)> {
        self.chosen.iter().filter(|(other, _)| other != provider).cloned().collect()
    }

    /// The choices with this one for a provider.
    fn with(&self, provider: &str, id: &str) -> Vec<(String, String)> {
        let mut chosen = self.without(provider);
        chosen.push((provider.to_owned(), id.to_owned()));
        chosen
    }

    /// Where a form of a provider leads back to: the new credential's id is put behind.
    fn back(&self, provider: &str) -> String {
        format!("{}&picked=", self.address(&self.with(provider, "")))
    }

    fn app_name(&self) -> &str {
        self.app.as_ref().map_or("An application", |app| app.name.as_str())
    }
}

/// `GET /auth/integrations/setup-wizard`.
pub async fn page(member: Member) -> Response {
    let mut parameters = member.parameters().to_vec();
    // A form that was just sent left the new credential's id at the end; it belongs to the choice without one.
    if let Some(picked) = first(&parameters, "picked").map(str::to_owned) {
        parameters.retain(|(name, _)| name != "picked");
        for (name, value) in &mut parameters {
            if name == "chosen" && value.ends_with(':') {
                value.push_str(&picked);
            }
        }
    }
    let missing: Vec<&str> =
        ["providers", "redirect_uri"].into_iter().filter(|name| first(&parameters, name).is_none()).collect();
    if !missing.is_empty() {
        return incomplete(&member, &missing);
    }
    let setup = Setup::read(&member, &parameters).await;
    if setup.wanted.is_empty() {
        return nothing_asked(&member, &setup).into_response();
    }
    match cards(&member, &setup).await {
        Ok(answer) => answer.into_response(),
        Err(error) => member.failed(&error),
    }
}

/// `POST /auth/integrations/setup-wizard`: the end of a setup.
pub async fn end(Form { visit, fields }: Form<Member>) -> Response {
    let parameters: Vec<(String, String)> =
        url::form_urlencoded::parse(fields.get("setup").as_bytes()).into_owned().collect();
    let setup = Setup::read(&visit, &parameters).await;
    let outcome = match fields.get("decision") {
        "continue" => Outcome::Done,
        _ => Outcome::Cancelled,
    };
    let Some(target) = setup.target.clone() else { return invalid(&visit, &setup).into_response() };
    if outcome == Outcome::Done {
        match complete(&visit, &setup).await {
            Ok(true) => {}
            Ok(false) => return redirect(StatusCode::SEE_OTHER, &visit.link(&setup.address(&setup.chosen))),
            Err(error) => return visit.failed(&error),
        }
    }
    if !setup.is_registered() && fields.get("confirmed") != "yes" {
        return ask_to_leave(&visit, &setup, &target, outcome).into_response();
    }
    redirect(StatusCode::SEE_OTHER, leave(target, outcome, setup.state.as_deref()).as_str())
}

/// Whether every account has a choice that is the person's own and fits.
async fn complete(member: &Member, setup: &Setup) -> Result<bool, Error> {
    let kept = member.app.platform.integrations.list(member.who.caller.user).await?;
    Ok(!setup.wanted.is_empty() && setup.wanted.iter().all(|wanted| choice(setup, wanted, &kept).is_some()))
}

/// The credential that was chosen for an account.
fn choice<'a>(setup: &Setup, wanted: &Wanted, kept: &'a [CredentialMeta]) -> Option<&'a CredentialMeta> {
    let (_, id) = setup.chosen.iter().rev().find(|(provider, _)| *provider == wanted.provider)?;
    kept.iter().find(|credential| credential.id == *id && fits(wanted, credential))
}

/// Whether a credential can stand for what is wanted.
fn fits(wanted: &Wanted, credential: &CredentialMeta) -> bool {
    let granted = credential.scopes.as_deref().unwrap_or_default();
    credential.provider == wanted.provider
        && (credential.kind != Kind::OAuth2 || wanted.scopes.iter().all(|scope| granted.contains(scope)))
}

async fn cards(member: &Member, setup: &Setup) -> Result<Answer, Error> {
    let kept = member.app.platform.integrations.list(member.who.caller.user).await?;
    let open = setup.wanted.iter().filter(|wanted| choice(setup, wanted, &kept).is_none()).count();
    let content = html! {
        p { strong { (setup.app_name()) } " wants you to connect the following. It does not see what you enter here, and gets no secret." }
        @if setup.target.is_none() { p.error role="alert" { (INVALID) } }
        @for wanted in &setup.wanted { (card(member, setup, wanted, &kept)) }
        (ending(member, setup, open))
    };
    Ok(leads_on(member.page("Set up integrations", content).opens_windows(), setup))
}

/// Browsers hold a form's answer against the page of the form.
fn leads_on(answer: Answer, setup: &Setup) -> Answer {
    match setup.target.as_ref().filter(|_| setup.is_registered()) {
        Some(target) => answer.forms_lead_to(&target.origin().ascii_serialization()),
        None => answer,
    }
}

fn card(member: &Member, setup: &Setup, wanted: &Wanted, kept: &[CredentialMeta]) -> Markup {
    let provider = member.app.platform.integrations.providers().get(&wanted.provider);
    let shown = provider.map_or_else(|| display_name(&wanted.provider), |provider| provider.title.clone());
    let chosen = choice(setup, wanted, kept);
    html! {
        section.card aria-label=(shown) {
            h2.titled { (logo(member, None, &shown, false)) (shown) @if chosen.is_some() { " " span.state.good { "Connected" } } }
            @if let Some(chosen) = chosen {
                p { (described(chosen)) }
                p { a href=(member.link(&setup.address(&setup.without(&wanted.provider)))) aria-label={ "Change the choice for " (shown) } { "Change" } }
            } @else if let Some(provider) = provider {
                @if !wanted.scopes.is_empty() {
                    details {
                        summary aria-label={ "What is asked for at " (shown) } { "What is asked for" }
                        ul.note { @for scope in &wanted.scopes { li { code.long { (scope) } } } }
                    }
                }
                (existing(member, setup, wanted, kept, &shown))
                @let back = setup.back(&wanted.provider);
                @let adding = Adding { provider, scopes: &wanted.scopes, back: &back, given: &Fields::default() };
                (forms::connect(member, &adding))
                @for kept in forms::kinds(provider) {
                    details {
                        summary aria-label={ (kind(kept)) " for " (shown) } { (kind(kept)) }
                        (forms::keep(member, &adding, kept))
                    }
                }
            } @else {
                p.hint { "This server does not know this service, so it cannot be connected here." }
            }
        }
    }
}

/// What the person has already.
fn existing(member: &Member, setup: &Setup, wanted: &Wanted, kept: &[CredentialMeta], shown: &str) -> Markup {
    let fitting: Vec<_> = kept.iter().filter(|credential| fits(wanted, credential)).collect();
    if fitting.is_empty() {
        return Markup::default();
    }
    html! {
        ul.sessions {
            @for credential in fitting {
                li {
                    div { (described(credential)) }
                    a.button.quiet href=(member.link(&setup.address(&setup.with(&wanted.provider, &credential.id)))) aria-label={ "Use " (described(credential)) " for " (shown) } { "Use this" }
                }
            }
        }
    }
}

fn described(credential: &CredentialMeta) -> String {
    match name(credential) {
        Some(name) => format!("{name} ({})", kind(credential.kind)),
        None => kind(credential.kind).to_owned(),
    }
}

fn ending(member: &Member, setup: &Setup, open: usize) -> Markup {
    let address = setup.address(&setup.chosen);
    let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
    html! {
        @if let Some(target) = &setup.target {
            p { "You go on to " strong { (target.host_str().unwrap_or_default()) } " afterwards." }
        }
        form.choice method="post" action=(member.link(PATH)) {
            (csrf(member))
            input type="hidden" name="setup" value=(query);
            button name="decision" value="continue" disabled[open > 0] {
                @if open > 0 { "Connect " (open) " more" } @else { "Continue" }
            }
            button.quiet name="decision" value="cancel" { "Cancel" }
        }
    }
}

fn ask_to_leave(member: &Member, setup: &Setup, target: &Url, outcome: Outcome) -> Answer {
    let address = setup.address(&setup.chosen);
    let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let content = html! {
        p { "You are about to leave this server for:" }
        pre { code { (target.origin().ascii_serialization()) } }
        p.caution { "No application of this server has registered this address. Go there only if you came from there." }
        form.choice method="post" action=(member.link(PATH)) {
            (csrf(member))
            input type="hidden" name="setup" value=(query);
            input type="hidden" name="decision" value=(if outcome == Outcome::Done { "continue" } else { "cancel" });
            button name="confirmed" value="yes" { "Go there" }
            a.button.quiet href=(member.link("/settings/integrations")) { "Stay here" }
        }
    };
    member.page("Leave this server?", content).forms_lead_to(&target.origin().ascii_serialization())
}

fn invalid(member: &Member, setup: &Setup) -> Answer {
    let content = html! {
        p.error role="alert" { (INVALID) }
        p { "The application that sent you here asked for a way back that is not its own. You were not sent there." }
        p { a href=(member.link(&setup.address(&setup.chosen))) { "Back to the setup" } }
    };
    member.page("Set up integrations", content).status(StatusCode::BAD_REQUEST)
}

fn incomplete(member: &Member, missing: &[&str]) -> Response {
    let content = html! {
        p { "The application that sent you here left something out:" }
        ul { @for name in missing { li { code { (name) } } } }
    };
    member.page("Missing parameters", content).status(StatusCode::BAD_REQUEST).into_response()
}

fn nothing_asked(member: &Member, setup: &Setup) -> Answer {
    let content = html! {
        p { "The application that sent you here did not say what to connect." }
        @if setup.target.is_none() { p.error role="alert" { (INVALID) } }
        @let address = setup.address(&[]);
        form method="post" action=(member.link(PATH)) {
            (csrf(member))
            input type="hidden" name="setup" value=(address.split_once('?').map(|(_, query)| query).unwrap_or_default());
            button.quiet name="decision" value="cancel" { "Cancel" }
        }
    };
    leads_on(member.page("No providers specified", content).status(StatusCode::BAD_REQUEST), setup)
}
