//! `heddle serve`: opens the folder, makes the first start, listens, and closes in order.

mod first_start;
mod http;

use crate::admin::socket;
use crate::failure::Failure;
use crate::folder::{Folder, Holder};
use crate::logs;
use crate::telemetry;
use crate::{Setting, settings::Settings};
use heddle_api::ApiSettings;
use heddle_fault as fault;
use heddle_platform::authorization::Rules;
use heddle_platform::authorization::rules::Issuer;
use heddle_platform::{Mail, Mailer, Options, Platform, SignIn};
use serde_json::Value;
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// For requests that are being answered when the server is told to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// For frames to commit and the database to close; with the above less than the promised 30 s.
const LAST_COMMITS: Duration = Duration::from_secs(15);

/// Serves until a signal comes.
pub async fn run(setting: Setting) -> Result<(), Failure> {
    let Setting { settings, folder, json, telemetry, .. } = setting;
    let mut signals = Signals::listen()?;
    folder.make()?;
    let mut lock = folder.lock_for_server().await?;
    folder.refuse_half_restored()?;
    fault::point!("serve.locked")?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| Failure::of(format!("server.listen {}", settings.listen), error))?;
    let listening = listener.local_addr().map_err(|error| Failure::of("listening socket", error))?;
    let address = format!("http://{listening}");
    lock.tell(&Holder { pid: std::process::id(), serves: true, address: Some(address.clone()) })?;

    fault::point!("serve.listening")?;
    let database = settings.database(&folder.database());
    let api = ApiSettings { adopt: telemetry.as_ref().map(|_| telemetry::adopt as _), ..api_settings(&settings) };
    let told = format!("http://{}{}", reachable(listening), api.prefix());
    let public_url = settings.public_url.as_deref().unwrap_or(&told);
    let authorization = Rules { issuer: Issuer::new(public_url), ..settings.oauth.clone() };
    let options = Options {
        sign_in: sign_in(&settings, public_url)?,
        authorization,
        key_file: Some(folder.file(Folder::MASTER_KEY)),
        callbacks: Some(heddle_api::callback_body),
        ..settings.platform()
    };
    let platform = Platform::open_with(database.clone(), options).await?;
    first_start::run(&platform, &folder, &database, &told, json).await?;
    let door = socket::Door::bind(&folder)?;
    fault::point!("admin.bound")?;
    let (router, metrics) = heddle_api::measured(platform.clone(), api);
    let pulse = telemetry.as_ref().map(|telemetry| telemetry.measure(metrics));
    let commands = tokio::spawn(door.serve(platform.clone()));
    logs::say(&format!("listening on {address}"));
    fault::pass!("serve.ready");

    http::serve(listener, router, signals.next(), LAST_ANSWERS).await;
    tracing::info!("stopping");
    fault::pass!("serve.stopping");
    commands.abort();
    // Its socket file is gone when this returns.
    let _ = commands.await;
    if let Some(pulse) = pulse {
        pulse.close().await;
    }
    let is_closed = tokio::time::timeout(LAST_COMMITS, platform.close()).await.is_ok();
    if let Some(telemetry) = telemetry {
        telemetry.close().await;
    }
    if !is_closed {
        return Err(Failure::new("the database did not close in time; the next start picks up what is on disk"));
    }
    fault::pass!("serve.stopped");
    Ok(())
}

/// Who may sign in how, at this address.
fn sign_in(settings: &Settings, address: &str) -> Result<SignIn, Failure> {
    if !settings.is_private() {
        tracing::warn!(
            "sign-in is not private: browsers reach this server over plain HTTP; put it behind HTTPS and set \
             server.public_url to its https:// address"
        );
    }
    let mail = match (&settings.smtp_url, &settings.smtp_from) {
        (None, _) => None,
        (Some(_), None) => return Err(Failure::new("smtp.from: must be set beside smtp.url")),
        (Some(url), Some(from)) => Some(Mail {
            mailer: Mailer::new(url, from).map_err(|error| Failure::of("smtp.url", error))?,
            reset_url: format!("{address}{}", heddle_api::RESET_PATH),
        }),
    };
    Ok(SignIn { is_open: settings.open_signup, mail })
}

fn api_settings(settings: &Settings) -> ApiSettings {
    ApiSettings {
        public_url: settings.public_url.clone(),
        trusted_proxy_count: settings.trusted_proxy_count,
        cors_origins: settings.cors_origins.clone(),
        body_bytes: settings.body_bytes,
        json_depth: settings.json_depth,
        store_scope_required: settings.store_scope_required,
        v1_deprecated: settings.v1_deprecated,
        v1_sunset: settings.v1_sunset,
        metrics_public: settings.metrics_public,
        overview: overview(settings),
        ..ApiSettings::default()
    }
}

/// What operators see in the browser: the same as `heddle config show`.
fn overview(settings: &Settings) -> Vec<heddle_api::Setting> {
    let shown = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row = |(name, value, origin): (Cow<'static, str>, Value, String)| {
        let (name, value) = (name.into_owned(), shown(value));
        heddle_api::Setting { name, value, origin }
    };
    settings.effective().into_iter().map(row).collect()
}

/// Where someone on this machine reaches a server that listens everywhere.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

/// SIGTERM and SIGINT, heard from the moment this exists.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let hear = |kind| signal(kind).map_err(|error| Failure::of("signals", error));
        Ok(Self { terminate: hear(SignalKind::terminate())?, interrupt: hear(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
