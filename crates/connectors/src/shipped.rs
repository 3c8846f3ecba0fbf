//! The files that the binary carries.

macro_rules! shipped {
    ($($name:literal)*) => {
        /// Name and text of every provider's file, by name.
        pub(crate) const SHIPPED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../connectors/", $name, ".yaml")))),*];
    };
}

shipped! {
    "agent_mail" "aiml_api" "airtable" "allquiet" "anthropic" "apollo" "ayrshare" "baas" "bannerbear" "codex"
    "compass" "d_id" "database" "dataforb2b" "dataforseo" "discord" "e2b" "elevenlabs" "enrichlayer" "exa" "fal"
    "firecrawl" "gemini" "generic_webhook" "github" "google" "google_maps" "groq" "http" "hubspot" "ideogram" "jina" "linear"
    "llama_api" "mcp" "medium" "mem0" "notion" "nvidia" "ollama" "open_router" "openai" "openai_compatible" "openweathermap" "pinecone"
    "reddit" "replicate" "revid" "screenshotone" "slack" "slant3d" "smartlead" "smtp" "stagehand" "stripe"
    "stripe_link" "tavily" "telegram" "todoist" "twitter" "unreal_speech" "v0" "webshare_proxy" "wikipedia" "wolfram" "wordpress"
    "zerobounce"
}

#[cfg(test)]
mod tests {
    use super::SHIPPED;
    use crate::{Kind, Place, Provider};
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_file_is_carried_and_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        let names: BTreeSet<_> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        let carried: Vec<_> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert!(carried.is_sorted());
        assert_eq!(carried.iter().cloned().collect::<BTreeSet<_>>(), names);
        for (name, text) in SHIPPED {
            Provider::read(name, text).unwrap_or_else(|mistake| panic!("connectors/{name}.yaml:{mistake}"));
        }
    }

    #[test]
    fn a_client_id_stands_in_the_address_that_ends_its_tokens() {
        let (name, text) = SHIPPED.iter().find(|(name, _)| *name == "github").unwrap();
        let revoke = Provider::read(name, text).unwrap().oauth.unwrap().revoke.unwrap();
        assert_eq!(revoke.url_for("Iv1.x").as_str(), "https://api.github.com/applications/Iv1.x/token");
    }

    #[test]
    fn where_secrets_are_sent_and_accounts_are_connected_nobody_listens() {
        for (name, text) in SHIPPED {
            let provider = Provider::read(name, text).unwrap();
            let is_clear = provider.base_url.as_ref().is_some_and(|url| url.scheme() == "http");
            assert!(!is_clear || ["ollama", "openweathermap"].contains(name), "{name}");
            for (kind, place) in &provider.places {
                assert!(*kind != Kind::UserPassword || matches!(place, Place::Basic | Place::Elsewhere), "{name}");
                assert!(*kind == Kind::UserPassword || *place != Place::Basic, "{name}");
            }
            let Some(oauth) = &provider.oauth else { continue };
            let revoke = oauth.revoke.iter().map(|revoke| &revoke.url);
            let account = oauth.account.iter().filter_map(|account| account.url.as_ref());
            for url in [&oauth.authorize, &oauth.token].into_iter().chain(revoke) {
                assert!(url.is_private(), "{name} {}", url.as_str());
            }
            for url in account {
                assert!(provider.admits(url), "{name}: the token would go to {}", url.as_str());
            }
        }
    }
}
