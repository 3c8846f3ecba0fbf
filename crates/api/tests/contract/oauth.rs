//! The authorization server's addresses, in both dialects.

mod bearer;
mod documents;
mod endpoints;
mod own;

use crate::testbed::{Answer, Person, Testbed};
use heddle_api::ApiSettings;
use heddle_model::{Scope, Time};
use heddle_platform::Options;
use heddle_platform::authorization::rules::client::{Client, GrantType};
use heddle_platform::authorization::rules::consent::Session;
use heddle_platform::authorization::rules::draft::Draft;
use heddle_platform::authorization::rules::{Issuer, Parameters};
use heddle_platform::authorization::{By, Decision, Rules};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://agents.example.org";
pub const CALLBACK: &str = "https://looms.example/cb";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: &str = "application/x-www-form-urlencoded";

/// A server with an application of Ada's.
pub struct Bed {
    pub bed: Testbed,
    pub ada: Person,
    pub app: Client,
    pub secret: String,
}

impl Bed {
    pub async fn new() -> Self {
        Self::with(Rules::default()).await
    }

    pub async fn with(rules: Rules) -> Self {
        let options = Options { authorization: rules, ..Options::default() };
        Self::opened(ApiSettings::default(), options, &[Scope::Identity, Scope::ReadBlock, Scope::RunAgent]).await
    }

    /// With more to say about the server, and what the application may ask for.
    pub async fn opened(settings: ApiSettings, options: Options, scopes: &[Scope]) -> Self {
        let authorization = Rules { issuer: Issuer::new(ISSUER), ..options.authorization };
        let options = Options { authorization, ..options };
        let settings = ApiSettings { public_url: Some(ISSUER.to_owned()), ..settings };
        let bed = Testbed::opened(settings, options).await;
        let ada = bed.person("ada").await;
        let draft = Draft {
            name: "Looms".to_owned(),
            description: None,
            logo_url: None,
            redirect_uris: vec![CALLBACK.to_owned()],
            grant_types: GrantType::ALL.to_vec(),
            scopes: scopes.to_vec(),
            is_public: false,
            requires_pushed: false,
            id_token_algorithm: Default::default(),
        };
        let (app, secret) = bed.platform.authorization.create_app(By::Person(ada.user), None, draft).await.unwrap();
        Self { bed, ada, app, secret: secret.unwrap().expose().to_owned() }
    }

    pub fn request(&self, more: &str) -> String {
        format!(
            "response_type=code&client_id={}&redirect_uri={CALLBACK}&state=s&code_challenge={CHALLENGE}&{more}",
            self.app.client_id
        )
    }

    /// A code for these scopes, which Ada allows.
    pub async fn code(&self, scope: &str) -> String {
        let request = Parameters::parse(self.request(&format!("scope={scope}")).as_bytes()).unwrap();
        let session = Session { user: self.ada.user, auth_time: Time(1_770_112_800_000_000) };
        match self.bed.platform.authorization.decide(&request, &session, true).await.unwrap() {
            Decision::Redirect(url) => parameter(&url, "code"),
            other => panic!("{other:?}"),
        }
    }

    /// The `Authorization` header by which the application proves who it is.
    pub fn basic(&self) -> String {
        use base64::Engine;
        let pair = format!("{}:{}", self.app.client_id, self.secret);
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
    }

    /// A form, with the application's secret in the header.
    pub async fn form(&self, path: &str, body: &str) -> Answer {
        self.ask(path, FORM, Some(&self.basic()), body).await
    }

    /// JSON, with the application's secret in it.
    pub async fn json(&self, path: &str, mut body: Value) -> Answer {
        body["client_id"] = self.app.client_id.as_str().into();
        body["client_secret"] = self.secret.as_str().into();
        self.ask(path, "application/json", None, &body.to_string()).await
    }

    pub async fn ask(&self, path: &str, content_type: &str, authorization: Option<&str>, body: &str) -> Answer {
        let ask = self.bed.ask("POST", path).header("content-type", content_type).raw(body.to_owned());
        match authorization {
            Some(value) => ask.header("authorization", value).send().await,
            None => ask.send().await,
        }
    }

    pub async fn redeem(&self, code: &str) -> Answer {
        let form =
            format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}");
        self.form("/api/oauth/token", &form).await
    }

    pub async fn tokens(&self, scope: &str) -> Value {
        self.redeem(&self.code(scope).await).await.expect(200)
    }

    /// A call of v1 with a bearer token.
    pub async fn call(&self, path: &str, token: &str) -> Answer {
        self.bed.get(path).header("authorization", &format!("Bearer {token}")).send().await
    }
}

pub fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    Parameters::parse(query.as_bytes()).unwrap().get(name).unwrap_or_default().to_owned()
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// A body with everything that differs from one time to the next made a star.
pub fn masked(mut body: Value) -> Value {
    let changing = ["access_token", "refresh_token", "id_token", "access_token_expires_at", "refresh_token_expires_at"];
    for name in changing.iter().chain(&["user_id", "sub", "exp", "iat", "client_id"]) {
        if let Some(value) = body.get_mut(*name).filter(|value| !value.is_null()) {
            *value = json!("*");
        }
    }
    body
}
