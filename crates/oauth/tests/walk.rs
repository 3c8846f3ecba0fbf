//! One authorization from the registration to the end, through nothing but what other crates can reach, with rows kept
//! as a database would keep them: what is set once is set on the condition that it is not.

#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

use heddle_model::{AppId, FamilyId, Scope as Permission, Time, UserId};
use heddle_oauth::body::{Body, Dialect};
use heddle_oauth::client::{Client, GrantType, Origin};
use heddle_oauth::code::Code;
use heddle_oauth::consent::{Approval, Next, Session};
use heddle_oauth::credentials::Basic;
use heddle_oauth::draft::{Draft, Making};
use heddle_oauth::family::Ended;
use heddle_oauth::grant::{Grant, TokenRequest};
use heddle_oauth::inspect::Found;
use heddle_oauth::token::{AccessToken, Invalid, Pair, Random, RefreshToken};
use heddle_oauth::{
    Digest, Family, Issuer, Parameters, Plain, Standing, answer, code, consent, inspect, request, token,
};
use std::collections::HashMap;

const START: Time = Time(1_770_112_800_000_000);
const CALLBACK: &str = "https://looms.example/cb";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The tables, and a source of bytes that never repeats.
struct World {
    client: Client,
    secret: Plain,
    families: HashMap<FamilyId, Family>,
    codes: HashMap<Digest, Code>,
    access: HashMap<Digest, AccessToken>,
    refresh: HashMap<Digest, RefreshToken>,
    drawn: u8,
}

fn issuer() -> Issuer {
    Issuer::new("https://agents.example.org")
}

fn ada() -> UserId {
    UserId::from_random([1; 16])
}

impl World {
    fn new() -> Self {
        let draft = Draft {
            name: "Looms".to_owned(),
            description: None,
            logo_url: None,
            redirect_uris: vec![CALLBACK.to_owned()],
            grant_types: GrantType::ALL.to_vec(),
            scopes: vec![Permission::Identity, Permission::RunAgent],
            is_public: false,
            requires_pushed: false,
            id_token_algorithm: Default::default(),
        };
        let making = Making {
            id: AppId::from_random([2; 16]),
            name_bytes: [3; 32],
            secret_bytes: [4; 32],
            owner: Some(ada()),
            organization: None,
            origin: Origin::Account,
            now: START,
        };
        let (client, secret) = draft.make(making).unwrap();
        Self {
            client,
            secret: secret.unwrap(),
            families: HashMap::new(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            drawn: 9,
        }
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        [self.drawn; 32]
    }

    fn standing(&self, family: FamilyId) -> Standing<'_> {
        Standing { family: &self.families[&family], client: Some(&self.client), user_is_enabled: true }
    }

    /// The person allows what the application asks for; the code comes back through the browser.
    fn authorize(&mut self, now: Time) -> Plain {
        let query = format!(
            "response_type=code&client_id={}&redirect_uri={CALLBACK}&scope=openid+RUN_AGENT&state=s\
             &code_challenge={CHALLENGE}&code_challenge_method=S256",
            self.client.client_id
        );
        let parameters = Parameters::parse(query.as_bytes()).unwrap();
        assert_eq!(request::names(&parameters).unwrap().client_id, self.client.client_id);
        let request = request::read(&parameters, Some(&self.client), None, &issuer(), now).unwrap();
        let session = Session { user: ada(), auth_time: now };
        assert_eq!(consent::next(&request, &self.client, Some(&session), None, None, now), Next::Ask);
        let approval = Approval { user: session.user, auth_time: session.auth_time, family_seconds: None };
        let id = FamilyId::from_random(self.draw()[..16].try_into().unwrap());
        let issued = code::issue(&request, &approval, id, self.draw(), now);
        let answer = request.granted(&issued.plain, &issuer());
        assert!(answer.starts_with(&format!("{CALLBACK}?code=")) && answer.contains("&state=s&iss="), "{answer}");
        self.families.insert(issued.family.id, issued.family);
        self.codes.insert(issued.code.digest, issued.code);
        issued.plain
    }

    /// The token endpoint.
    fn tokens(&mut self, form: &str, now: Time) -> Result<Pair, String> {
        let body = Body::read(Some("application/x-www-form-urlencoded"), form.as_bytes()).unwrap();
        let pair = format!("{}:{}", self.client.client_id, self.secret.expose());
        let header = format!("Basic {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, pair));
        let basic = Basic::read([header.as_bytes()]).unwrap();
        let asked = TokenRequest::read(&body, basic, &issuer()).unwrap();
        let client = asked.credentials.check(Some(&self.client), now).unwrap().clone();
        asked.check_type(&client).unwrap();
        let detail = |refusal: answer::Refusal| {
            let answer = refusal.answer(body.dialect(), &issuer(), "/api/oauth/token");
            answer.body["detail"].as_str().unwrap().to_owned()
        };
        let (family, scopes, resources) = match &asked.grant {
            Grant::Code { code, redirect_uri, verifier } => {
                let found = self.codes.get(&code.digest()).map(|code| (code, self.standing(code.family)));
                let verifier = verifier.as_ref().map(Plain::expose);
                match code::redeem(found, &client, redirect_uri.as_deref(), verifier, now) {
                    Ok(code) => {
                        let (digest, family) = (code.digest, code.family);
                        self.codes.get_mut(&digest).unwrap().used_at = Some(now);
                        let family = &self.families[&family];
                        (family.clone(), family.scopes.clone(), token::narrowed(family, &asked.resources).unwrap())
                    }
                    Err(refused) => {
                        self.end(refused.ends(), now);
                        return Err(detail(refused.into()));
                    }
                }
            }
            Grant::Refresh { token, scopes } => {
                let digest = token.digest();
                let found = self.refresh.get(&digest).map(|token| (token, self.standing(token.family)));
                match token::redeem(found, &client, scopes.as_ref(), &asked.resources, now) {
                    Ok(refreshed) => {
                        let row = self.refresh.get_mut(&digest).unwrap();
                        row.rotated_at = Some(now);
                        (self.families[&row.family].clone(), refreshed.scopes, refreshed.resources)
                    }
                    Err(refused) => {
                        self.end(refused.ends(), now);
                        return Err(detail(refused.into()));
                    }
                }
            }
        };
        let random = Random { access: self.draw(), refresh: self.draw() };
        let pair = token::issue(&family, &client, scopes, resources, &random, now);
        self.access.insert(pair.access.digest, pair.access.clone());
        let (row, _) = pair.refresh.as_ref().unwrap();
        self.refresh.insert(row.digest, row.clone());
        self.families.get_mut(&family.id).unwrap().expires_at = pair.family_expires_at;
        Ok(pair)
    }

    fn redeem(&mut self, code: &Plain, now: Time) -> Result<Pair, String> {
        let form = format!(
            "grant_type=authorization_code&code={}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}",
            code.expose()
        );
        self.tokens(&form, now)
    }

    fn renew(&mut self, pair: &Pair, now: Time) -> Result<Pair, String> {
        let (_, token) = pair.refresh.as_ref().unwrap();
        self.tokens(&format!("grant_type=refresh_token&refresh_token={}", token.expose()), now)
    }

    fn end(&mut self, ends: Option<(FamilyId, Ended)>, now: Time) {
        if let Some((family, why)) = ends {
            self.families.get_mut(&family).unwrap().ended.get_or_insert((now, why));
        }
    }

    fn check(&self, pair: &Pair, now: Time) -> Result<UserId, Invalid> {
        let found = self.access.get(&pair.access_plain.digest()).map(|token| (token, self.standing(token.family)));
        token::check(found, now).map(|access| access.user)
    }

    fn is_active(&self, pair: &Pair, now: Time) -> bool {
        let found = &self.access[&pair.access.digest];
        let found = Some(Found::Access(found, self.standing(found.family)));
        inspect::introspection(found, &self.client, None, Dialect::Standard, &issuer(), now)["active"] == true
    }
}

#[test]
fn tokens_are_renewed_until_one_comes_a_second_time() {
    let mut world = World::new();
    let code = world.authorize(START);
    let first = world.redeem(&code, START.plus_seconds(1)).unwrap();
    assert_eq!(world.check(&first, START.plus_seconds(2)), Ok(ada()));

    let second = world.renew(&first, START.plus_seconds(3_000)).unwrap();
    assert_eq!(world.check(&first, START.plus_seconds(3_001)), Ok(ada()), "older access tokens go on");
    let lost = "Invalid grant: refresh token has been revoked";
    assert_eq!(world.renew(&first, START.plus_seconds(3_010)).unwrap_err(), lost);
    assert!(world.is_active(&second, START.plus_seconds(3_010)), "an answer may have been lost");

    let third = world.renew(&second, START.plus_seconds(6_000)).unwrap();
    assert_eq!(world.renew(&first, START.plus_seconds(6_001)).unwrap_err(), lost);
    for pair in [&second, &third] {
        assert_eq!(world.check(pair, START.plus_seconds(6_002)), Err(Invalid::Revoked));
        assert!(!world.is_active(pair, START.plus_seconds(6_002)));
    }
    assert_eq!(world.renew(&third, START.plus_seconds(6_003)).unwrap_err(), lost);
}

#[test]
fn a_code_works_once_and_takes_everything_with_it_the_second_time() {
    let mut world = World::new();
    let (code, other) = (world.authorize(START), world.authorize(START));
    let pair = world.redeem(&code, START).unwrap();
    let untouched = world.redeem(&other, START).unwrap();
    let again = world.redeem(&code, START.plus_seconds(1)).unwrap_err();
    assert_eq!(again, "Invalid grant: authorization code already used at 2026-02-03 10:00:00+00:00");
    assert_eq!(world.check(&pair, START.plus_seconds(1)), Err(Invalid::Revoked));
    assert_eq!(world.renew(&pair, START.plus_seconds(1)).unwrap_err(), "Invalid grant: refresh token has been revoked");
    assert_eq!(world.check(&untouched, START.plus_seconds(1)), Ok(ada()), "another authorization of the same person");
}

#[test]
fn an_application_that_is_switched_off_and_on_again_keeps_its_tokens() {
    let mut world = World::new();
    let code = world.authorize(START);
    let pair = world.redeem(&code, START).unwrap();
    world.client.is_active = false;
    assert_eq!(world.check(&pair, START), Err(Invalid::ClientDisabled));
    assert!(!world.is_active(&pair, START));
    world.client.is_active = true;
    assert_eq!(world.check(&pair, START), Ok(ada()));
}
