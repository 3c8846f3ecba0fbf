//! The passkeys of an account, on its security page. Adding one needs a script, as browsers offer no form for it; all else
//! does not.

use super::{Form, Member, Said, csrf, time};
use axum::extract::Path;
use axum::response::Response;
use heddle_platform::{Error, Passkey};
use maud::{Markup, html};

const BACK: &str = "/settings/security";
const PATH: &str = "/settings/security/passkeys";

/// `POST …/{passkey_id}/rename`.
pub async fn rename(Path(id): Path<String>, Form { visit, fields }: Form<Member>) -> Response {
    match visit.app.platform.passkeys.rename(visit.who.caller.user, &id, fields.get("name")).await {
        Ok(_) => visit.go(BACK, Some(Said::SAVED)),
        Err(error) => visit.failed(&error),
    }
}

/// `POST …/{passkey_id}/remove`.
pub async fn remove(Path(id): Path<String>, Form { visit, .. }: Form<Member>) -> Response {
    match visit.app.platform.passkeys.remove(visit.who.caller.user, &id).await {
        Ok(()) => visit.go(BACK, Some(Said::PASSKEY_REMOVED)),
        Err(error) => visit.failed(&error),
    }
}

/// The list, and how to add one.
pub async fn section(member: &Member) -> Result<Markup, Error> {
    let passkeys = member.app.platform.passkeys.list(member.who.caller.user).await?;
    Ok(html! {
        h2 id="passkeys" { "Passkeys" }
        p.hint { "Sign in with a fingerprint, your face, your device’s code or a security key instead of the password." }
        @if !passkeys.is_empty() {
            ul.sessions { @for passkey in &passkeys { (item(member, passkey)) } }
        }
        (adding(member))
    })
}

fn item(member: &Member, passkey: &Passkey) -> Markup {
    let is_elsewhere = member.party().is_none_or(|party| party.id() != passkey.party);
    let action = |what: &str| member.link(&format!("{PATH}/{}/{what}", passkey.id));
    let id = format!("name-{}", passkey.id);
    html! {
        li {
            div {
                strong { (passkey.name) }
                @if passkey.is_backed_up { " " span.state { "Synced" } }
                p.note {
                    "Added " (time(member, passkey.created_at))
                    @match passkey.last_used_at {
                        Some(last) => { ", last used " (time(member, last)) },
                        None => ", not used yet",
                    }
                    @if is_elsewhere { "; works at " (passkey.party) " only" }
                }
                details {
                    summary aria-label={ "Rename " (passkey.name) } { "Rename" }
                    form method="post" action=(action("rename")) {
                        (csrf(member))
                        div.field {
                            label for=(id) { "Name" }
                            input id=(id) name="name" type="text" autocomplete="off" value=(passkey.name) maxlength="100";
                        }
                        button.quiet { "Save" }
                    }
                }
            }
            details.end {
                summary aria-label={ "Remove " (passkey.name) } { "Remove" }
                p.note { "It will not sign anybody in any more. Your device may still list it: remove it there too." }
                form method="post" action=(action("remove")) {
                    (csrf(member))
                    button.danger { "Remove passkey" }
                }
            }
        }
    }
}

fn adding(member: &Member) -> Markup {
    if member.party().is_none() {
        return html! {
            p.note {
                "Browsers have passkeys only over https, or for a server on the same machine that is reached as localhost"
                @match member.as_localhost(BACK) {
                    Some(there) => { ": add one at " a href=(there) { (there) } ", where you sign in once more." }
                    None => ".",
                }
            }
        };
    }
    if !member.app.platform.passkeys.may_add(&member.who.who) {
        let again = format!("{}?again=1&next={}", member.link("/login"), member.link(BACK));
        return html! { p { a href=(again) { "Sign in once more" } " to add a passkey." } };
    }
    let (ask, answer) = (member.link("/api/passkeys/options"), member.link("/api/passkeys"));
    let next = format!("{}?said={}", member.link(BACK), Said::PASSKEY_ADDED.word());
    html! {
        form data-passkey="create" data-ask=(ask) data-answer=(answer) data-next=(next) hidden {
            div.field {
                label for="passkey-name" { "Name " span.optional { "(optional)" } }
                input id="passkey-name" name="name" type="text" autocomplete="off" maxlength="100";
            }
            p.error role="alert" hidden {}
            button { "Add a passkey" }
        }
        p.note data-without-passkeys { "Adding one needs a browser that has passkeys, with scripts switched on." }
    }
}
