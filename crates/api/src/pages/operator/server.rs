//! What this server was told: each setting, its value, and where that came from. Secrets are masked before they get here.

use super::Operator;
use crate::pages::Answer;
use crate::settings::Setting;
use maud::{Markup, html};

/// `GET /admin/server`.
pub async fn page(operator: Operator) -> Answer {
    let content = html! {
        p { "The settings this server was started with. They change in its file, its environment or its flags, and count from the next start." }
        dl {
            dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) }
            dt { "Public address" } dd { code.long { (operator.url("/")) } }
            dt { "Issuer" } dd { code.long { (operator.app.platform.authorization.issuer()) } }
        }
        @if operator.app.settings.overview.is_empty() {
            p.empty { "This server was started without settings." }
        } @else {
            div.table {
                table {
                    caption.unseen { "Settings" }
                    thead { tr { th scope="col" { "Setting" } th scope="col" { "Value" } th scope="col" { "Where from" } } }
                    tbody { @for setting in &operator.app.settings.overview { (row(setting)) } }
                }
            }
        }
    };
    operator.page("Server", content)
}

fn row(setting: &Setting) -> Markup {
    html! {
        tr {
            th scope="row" { code { (setting.name) } }
            td data-label="Value" { code.long { (setting.value) } }
            td data-label="Where from" { (setting.origin) }
        }
    }
}
