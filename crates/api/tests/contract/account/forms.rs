//! The pages' forms do what they say.

use super::browser::{Browser, PASSWORD, server, text};

#[tokio::test]
async fn a_profile_is_kept_and_pages_go_by_its_clocks() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let saved = ada.post("/settings/profile", &[("name", " Ada "), ("time_zone", "Asia/Tokyo")]).await;
    assert_eq!((saved.status.as_u16(), saved.header("location")), (303, "/settings/profile?said=saved"));
    let page = ada.page("/settings/profile?said=saved").await;
    for part in ["Saved.", "value=\"Ada\"", "value=\"Asia/Tokyo\"", " JST</time>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let refused = ada.post("/settings/profile", &[("name", "Eve"), ("time_zone", "Nowhere/At all")]).await;
    assert_eq!(refused.status, 422);
    assert!(text(&refused).contains("value=\"Nowhere/At all\""), "what was typed is not lost");
    assert_eq!(ada.post("/settings/profile", &[("name", &"x".repeat(201))]).await.status, 422);
    ada.post("/settings/profile", &[]).await;
    assert!(!ada.page("/settings/profile").await.contains("value=\"Ada\""));
}

#[tokio::test]
async fn a_key_is_made_shown_once_suspended_resumed_and_revoked() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    assert!(ada.page("/settings/api-keys").await.contains("You have no keys yet."));
    let fields =
        [("name", "Night"), ("description", "For CI"), ("permissions", "IDENTITY"), ("permissions", "READ_GRAPH")];
    let made = ada.post("/settings/api-keys", &fields).await;
    assert_eq!(made.status, 200);
    let page = text(&made);
    let key = page.split("id=\"key\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(page.contains("https://agents.example.org/external-api/v1/me"), "{page}");
    let me = async || bed.get("/me").key(&key).send().await.status.as_u16();
    assert_eq!(me().await, 200);

    let list = ada.page("/settings/api-keys").await;
    assert!(!list.contains(&key) && list.contains(&format!("{}…{}", &key[..8], &key[40..])), "{list}");
    let revoke = list.split("action=\"").find(|rest| rest.contains("/revoke\"")).unwrap();
    let path = revoke.split('"').next().unwrap().trim_end_matches("/revoke").to_owned();
    for (what, said, opens) in [("suspend", "suspended", 401), ("resume", "resumed", 200), ("revoke", "revoked", 401)] {
        let answer = ada.post(&format!("{path}/{what}"), &[]).await;
        assert_eq!(answer.header("location"), format!("/settings/api-keys?said={said}"));
        assert_eq!(me().await, opens, "{what}");
    }
    let mut bob = Browser::of(&bed, "bob").await;
    assert_eq!(bob.post(&format!("{path}/suspend"), &[]).await.status, 404);
}

#[tokio::test]
async fn a_key_without_name_or_permissions_is_not_made_and_nothing_typed_is_lost() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    for fields in [
        &[("name", "Night"), ("description", "For CI")][..],
        &[("name", " "), ("permissions", "IDENTITY")],
        &[("name", "Night"), ("permissions", "EVERYTHING")],
    ] {
        let refused = ada.post("/settings/api-keys", fields).await;
        assert_eq!(refused.status, 422, "{fields:?}");
        let (name, page) = (fields[0].1, text(&refused));
        assert!(page.contains("role=\"alert\"") && page.contains(&format!("value=\"{name}\"")), "{fields:?}");
        assert_eq!(page.contains("value=\"IDENTITY\" checked"), fields.contains(&("permissions", "IDENTITY")));
    }
    assert!(ada.page("/settings/api-keys").await.contains("You have no keys yet."));
}

#[tokio::test]
async fn a_changed_password_signs_other_browsers_out() {
    let bed = server().await;
    let mut here = Browser::of(&bed, "ada").await;
    let mut there = Browser::new(&bed);
    there.sign_in("ada", "").await;
    let change = |current, new| [("current", current), ("password", new)];
    for (current, new) in [("wrong password", "another password"), (PASSWORD, "short")] {
        assert_eq!(here.post("/settings/security/password", &change(current, new)).await.status, 422);
    }
    assert!(there.is_in().await);
    let changed = here.post("/settings/security/password", &change(PASSWORD, "another password")).await;
    assert_eq!(changed.header("location"), "/settings/security?said=password");
    assert!(here.is_in().await && !there.is_in().await);
    let old = there.post("/login", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(old.status, 422);
}

#[tokio::test]
async fn browsers_are_listed_and_signed_out_from_afar() {
    let bed = server().await;
    let mut here = Browser::of(&bed, "ada").await;
    let mut others = [Browser::new(&bed), Browser::new(&bed)];
    for other in &mut others {
        other.sign_in("ada", "").await;
    }
    let page = here.page("/settings/security").await;
    assert_eq!((page.matches("This browser").count(), page.matches("/end\"").count()), (1, 2));
    let path = page.split("action=\"").find(|rest| rest.contains("/end\"")).unwrap().split('"').next().unwrap();
    let mut bob = Browser::of(&bed, "bob").await;
    assert_eq!(bob.post(path, &[]).await.status, 404);
    assert_eq!(here.post(path, &[]).await.header("location"), "/settings/security?said=ended");
    assert_eq!(u8::from(others[0].is_in().await) + u8::from(others[1].is_in().await), 1);
    here.post("/settings/security/sessions/end-others", &[]).await;
    assert!(here.is_in().await && !others[0].is_in().await && !others[1].is_in().await);
}
