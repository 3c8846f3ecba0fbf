//! The authorization server's rows.

mod apps;
mod grants;
mod keys;

use crate::bed::{Bed, NOON, Person};
use heddle_model::{AppId, FamilyId, Scope, Time};
use heddle_oauth::client::{GrantType, Origin, Proof};
use heddle_oauth::consent::Approval;
use heddle_oauth::request::{Request, read};
use heddle_oauth::token::{Pair, Random};
use heddle_oauth::{Client, Digest, Family, Issuer, Kept, Parameters, Plain, Scopes, code, token};
use heddle_store::NewGrant;

/// An application's and a family's secrets follow from its number.
fn app_id(number: u8) -> AppId {
    AppId::from_random([number; 16])
}

fn secret(number: u8) -> Plain {
    Plain::new(format!("agpt_secret_{number}"))
}

fn client(owner: Option<Person>, number: u8) -> Client {
    Client {
        id: app_id(number),
        client_id: format!("client {number}"),
        name: format!("App {number}"),
        description: None,
        logo_url: None,
        proof: Proof::Secret { current: Kept::of(&secret(number)), previous: None },
        redirect_uris: vec!["https://looms.example/cb".to_owned()],
        grant_types: GrantType::ALL.to_vec(),
        scopes: vec![Scope::Identity, Scope::RunAgent],
        default_scopes: None,
        owner: owner.map(|owner| owner.id),
        organization: None,
        origin: Origin::Account,
        is_active: true,
        is_trusted: false,
        is_resource_server: false,
        requires_pushed: false,
        id_token_algorithm: Default::default(),
        allows_plain: false,
        created_at: NOON,
        updated_at: NOON,
    }
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

/// A request of an application for these scopes.
fn request(client: &Client, scope: &str) -> Request {
    let parameters = Parameters::from_iter([
        ("client_id", client.client_id.as_str()),
        ("response_type", "code"),
        ("scope", scope),
        ("nonce", "n"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ]);
    read(&parameters, Some(client), None, &Issuer::new("https://agents.example.org"), NOON).unwrap()
}

/// What a person allows at noon; the code's random bytes are the number's.
fn grant(client: &Client, person: Person, number: u8, scope: &str) -> NewGrant {
    let request = request(client, scope);
    let approval = Approval { user: person.id, auth_time: NOON, family_seconds: None };
    let family = FamilyId::from_random([number; 16]);
    let issued = code::issue(&request, &approval, family, [number; 32], NOON);
    NewGrant { family: issued.family, code: issued.code, remembered: Some(request), pushed: None }
}

/// A pair of tokens of a family.
fn pair(family: &Family, client: &Client, number: u8, now: Time) -> Pair {
    let random = Random { access: [number; 32], refresh: [number; 32] };
    token::issue(family, client, family.scopes.clone(), family.resources.clone(), &random, now)
}

fn refresh_digest(pair: &Pair) -> Digest {
    pair.refresh.as_ref().unwrap().0.digest
}

/// A person and an application of theirs.
async fn with_app(bed: &Bed) -> (Person, Client) {
    let ada = bed.account(1).await;
    let client = client(Some(ada), 1);
    bed.store.insert_app(client.clone()).await.unwrap();
    (ada, client)
}
