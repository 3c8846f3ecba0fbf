//! How an account is shown as a creator.

use super::{PROFILE, picture};
use crate::multipart::File;
use crate::pages::upload::Upload;
use crate::pages::visit::status;
use crate::pages::{Fields, Member, Said, banner, csrf, field};
use axum::response::{IntoResponse, Response};
use heddle_platform::Error;
use heddle_platform::marketplace::{CreatorStats, Profile};
use maud::html;

/// `GET /settings/creator`.
pub async fn page(member: Member) -> Response {
    show(&member, None, None).await
}

/// `POST /settings/creator`.
pub async fn save(mut upload: Upload) -> Response {
    let pictures = upload.take("picture");
    let Upload { member, fields, .. } = upload;
    match keep(&member, &fields, pictures).await {
        Ok(()) => member.go(PROFILE, Some(Said::SAVED)),
        Err(error) => show(&member, Some(&fields), Some(&error)).await,
    }
}

async fn keep(member: &Member, fields: &Fields, pictures: Vec<File>) -> Result<(), Error> {
    let market = &member.app.platform.marketplace;
    let owner = member.who.caller.user;
    let avatar = match pictures.into_iter().next() {
        Some(file) => Some(market.add_picture(owner, file.body).await?),
        None if fields.get("no_picture") == "yes" => None,
        None => market.profile(owner).await?.and_then(|stats| stats.creator.avatar),
    };
    let profile = Profile {
        username: fields.get("username").to_owned(),
        name: fields.get("name").to_owned(),
        description: fields.get("description").to_owned(),
        links: fields.get("links").lines().map(str::to_owned).collect(),
        avatar,
    };
    market.save_profile(owner, profile).await.map(drop)
}

async fn show(member: &Member, given: Option<&Fields>, error: Option<&Error>) -> Response {
    let known = match member.app.platform.marketplace.profile(member.who.caller.user).await {
        Ok(known) => known,
        Err(error) => return member.failed(&error),
    };
    let kept = known.as_ref().map(|stats| &stats.creator);
    let or_given =
        |name: &str, kept: Option<String>| given.map_or(kept.unwrap_or_default(), |fields| fields.get(name).to_owned());
    let content = html! {
        p { "This is what people see of you beside the agents you publish. Nothing of it is shown before one of them is approved." }
        (banner(error))
        form method="post" action=(member.link(PROFILE)) enctype="multipart/form-data" {
            (csrf(member))
            (field("Username", "username", "text", "off", &or_given("username", kept.map(|creator| creator.username.clone())), true))
            p.hint { "Stands in addresses: letters from a to z, digits and hyphens; anything else becomes one of them. Links to your agents change with it." }
            (field("Name", "name", "text", "name", &or_given("name", kept.map(|creator| creator.name.clone())), true))
            div.field {
                label for="description" { "About you" span.optional { " (optional)" } }
                textarea id="description" name="description" rows="4" maxlength="2000" { "\n" (or_given("description", kept.map(|creator| creator.description.clone()))) }
            }
            div.field {
                label for="links" { "Links" span.optional { " (optional)" } }
                textarea id="links" name="links" rows="3" spellcheck="false" autocapitalize="none" { "\n" (or_given("links", kept.map(|creator| creator.links.join("\n")))) }
                p.hint { "One address a line, at most five." }
            }
            div.field {
                label for="picture" { "Picture" span.optional { " (optional)" } }
                @if let Some(name) = kept.and_then(|creator| creator.avatar.as_deref()) {
                    p { (picture(member, name, "logo", "Your picture")) }
                    p { label { input type="checkbox" name="no_picture" value="yes"; " Without a picture" } }
                }
                input id="picture" name="picture" type="file" accept="image/png,image/jpeg,image/webp,image/gif";
                p.hint { "PNG, JPEG, WebP or GIF, at most 5 MB." }
            }
            button { "Save" }
        }
        @if let Some(stats) = known.as_ref().filter(|stats| stats.agents > 0) { (published(member, stats)) }
    };
    let page = member.page("Creator profile", content);
    match error {
        Some(error) => page.status(status(error)).into_response(),
        None => page.into_response(),
    }
}

fn published(member: &Member, stats: &CreatorStats) -> maud::Markup {
    html! {
        h2 { "Published" }
        p {
            (stats.agents) @if stats.agents == 1 { " agent, " } @else { " agents, " } (super::runs(stats.runs)) ", "
            (super::stars(stats.ratings)) ". "
            a href=(member.link(&format!("/marketplace/creators/{}", stats.creator.username))) { "Your page" }
        }
    }
}
