//! The block that sends mail: whom it asks for what, and what it refuses before anything is sent.

use crate::common::{in_a_run, run};
use async_trait::async_trait;
use heddle_blocks::credentials::{Credential, Credentials, Material, Reference};
use heddle_blocks::{Ports, Registry};
use heddle_engine::ports::{Context, Failure};
use heddle_outbound::{Client, Options};
use heddle_vault::Secret;
use serde_json::{Value, json};
use std::sync::Arc;

const SEND: &str = "4335878a-394e-4e67-adf2-919877ff49ae";

/// Keeps a password, or a key where the reference says so.
struct Kept;

#[async_trait]
impl Credentials for Kept {
    async fn open(&self, reference: &Reference, _: &Context) -> Result<Credential, Failure> {
        let secret = || Secret::new("hunter2".to_owned());
        let username = Secret::new("ada@example.org".to_owned());
        let material = match reference.id.as_str() {
            "key" => Material::ApiKey { key: secret() },
            _ => Material::UserPassword { username, password: secret() },
        };
        let id = reference.id.clone();
        Ok(Credential { id, provider: "smtp".to_owned(), title: None, material, base_url: None })
    }
}

async fn send(changes: Value) -> String {
    let mut input = json!({"to_email": "bob@example.org", "subject": "Hello", "body": "Bob",
        "config": {"smtp_server": "127.0.0.1", "smtp_port": 587},
        "credentials": {"id": "kept", "provider": "smtp", "type": "user_password"}});
    let input = input.as_object_mut().expect("an object");
    input.extend(changes.as_object().expect("an object").clone());
    let outbound = Some(Client::new(Options::default()));
    let registry = Registry::new(Ports { outbound, credentials: Some(Arc::new(Kept)), ..Ports::default() });
    let (outputs, ended) = run(&registry, SEND, input.clone(), in_a_run()).await;
    assert!(outputs.is_empty());
    let text = ended.expect_err("nothing can be sent").to_string();
    assert!(!text.contains("hunter2"), "{text}");
    text
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let config = |host: &str, port: Value| json!({"config": {"smtp_server": host, "smtp_port": port}});
    for port in [json!(26), json!(0), json!(-1), json!(65_536), json!(i64::MAX)] {
        assert_eq!(send(config("mail.example", port)).await, "smtp_port must be 25, 465, 587 or 2525");
    }
    let key = json!({"credentials": {"id": "key", "provider": "smtp", "type": "user_password"}});
    assert_eq!(send(key).await, "Invalid credentials: a user name and a password are expected");
    assert_eq!(send(json!({"to_email": "bob"})).await, "\"bob\" is no mail address");
}

#[tokio::test]
async fn a_server_inside_is_out_of_reach() {
    for host in ["127.0.0.1", "2130706433", "[::1]", "10.0.0.1", "169.254.169.254"] {
        for port in [25, 465] {
            let text = send(json!({"config": {"smtp_server": host, "smtp_port": port}})).await;
            assert!(text.ends_with("is not allowed: its address is private or reserved"), "{text}");
        }
    }
}
