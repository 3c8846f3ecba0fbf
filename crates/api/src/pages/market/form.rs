//! The form in which somebody says what his agent is.

use crate::pages::upload::Upload;
use crate::pages::{Fields, Member, csrf, field};
use heddle_platform::Error;
use heddle_platform::marketplace::{CATEGORIES, SubmissionText};
use maud::{Markup, html};

/// What the form says; new pictures are taken in.
pub async fn read(upload: &mut Upload) -> Result<SubmissionText, Error> {
    let files = upload.take("pictures");
    let (member, fields) = (&upload.member, &upload.fields);
    let mut images: Vec<String> = fields.all("image").map(str::to_owned).collect();
    for file in files {
        images.push(member.app.platform.marketplace.add_picture(member.who.caller.user, file.body).await?);
    }
    Ok(SubmissionText { images, ..said(fields) })
}

/// The same without new pictures, to be shown again.
pub fn said(fields: &Fields) -> SubmissionText {
    let kept = |name: &str| fields.filled(name).map(str::to_owned);
    let other = fields.get("other_categories").split(',').map(|one| one.trim().to_owned());
    SubmissionText {
        name: fields.get("name").to_owned(),
        sub_heading: fields.get("sub_heading").to_owned(),
        description: fields.get("description").to_owned(),
        instructions: kept("instructions"),
        categories: fields.all("category").map(str::to_owned).chain(other.filter(|one| !one.is_empty())).collect(),
        images: fields.all("image").map(str::to_owned).collect(),
        video: kept("video"),
        output_demo: kept("output_demo"),
        schedule: kept("schedule"),
        changes: kept("changes"),
    }
}

/// The form. `before` are its first fields.
pub fn form(member: &Member, action: &str, before: &Markup, text: &SubmissionText) -> Markup {
    let optional = |value: &Option<String>| value.clone().unwrap_or_default();
    let is_known = |category: &&String| CATEGORIES.contains(&category.as_str());
    let other: Vec<&str> = text.categories.iter().filter(|one| !is_known(one)).map(String::as_str).collect();
    html! {
        form method="post" action=(member.link(action)) enctype="multipart/form-data" {
            (csrf(member))
            (before)
            (field("Name", "name", "text", "off", &text.name, true))
            (field("One line about it", "sub_heading", "text", "off", &text.sub_heading, true))
            (area("Description", "description", &text.description, 8, true))
            (area("How to use it", "instructions", &optional(&text.instructions), 4, false))
            fieldset {
                legend { "Categories" }
                div.ticks { @for category in CATEGORIES {
                    label { input type="checkbox" name="category" value=(category) checked[text.categories.iter().any(|one| one == category)]; " " (category) }
                } }
            }
            (field("Other categories", "other_categories", "text", "off", &other.join(", "), false))
            p.hint { "Parted by commas. At most five in all." }
            fieldset {
                legend { "Pictures" }
                @if !text.images.is_empty() {
                    div.ticks { @for (place, name) in text.images.iter().enumerate() {
                        label.kept {
                            input type="checkbox" name="image" value=(name) checked; " Keep picture " (place + 1)
                            (super::picture(member, name, "thumb", ""))
                        }
                    } }
                }
                div.field {
                    label for="pictures" { "Add pictures" span.optional { " (optional)" } }
                    input id="pictures" name="pictures" type="file" multiple accept="image/png,image/jpeg,image/webp,image/gif";
                    p.hint { "PNG, JPEG, WebP or GIF, at most 5 MB each, eight in all. The first one stands for the agent." }
                }
            }
            (field("Video", "video", "url", "off", &optional(&text.video), false))
            (field("Sample of what comes out", "output_demo", "url", "off", &optional(&text.output_demo), false))
            p.hint { "Addresses elsewhere." }
            (field("Best run", "schedule", "text", "off", &optional(&text.schedule), false))
            p.hint { "Five fields: minute, hour, day of month, month, day of week, e.g. 0 7 * * 1-5." }
            (area("What is new in this version", "changes", &optional(&text.changes), 2, false))
            button name="do" value="submit" { "Hand in for review" }
            " "
            button.quiet name="do" value="draft" { "Keep as a draft" }
        }
    }
}

fn area(label: &str, name: &str, value: &str, rows: u8, is_required: bool) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) @if !is_required { span.optional { " (optional)" } } }
            textarea id=(name) name=(name) rows=(rows) required[is_required] { "\n" (value) }
        }
    }
}
