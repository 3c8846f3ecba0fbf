//! The way from a command to the use cases: through the server that holds the data folder, or right here.

use super::follow::{Follow, Glance};
use super::socket::{Conversation, connect};
use super::{Request, execute};
use crate::Setting;
use crate::failure::Failure;
use crate::folder::{Folder, Lock, PATIENCE, POLL};
use heddle_platform::{CreditRules, Options, Platform};
use serde_json::Value;
use std::time::Instant;
use tokio::sync::mpsc;

/// An open way to the use cases.
pub enum Door {
    /// No server runs: this process holds the folder.
    Here(Box<Platform>, Option<Lock>),
    /// A server runs.
    There(Conversation),
}

impl Door {
    /// Opens the folder, or connects to the server that has it.
    pub async fn open(setting: &Setting) -> Result<Self, Failure> {
        let folder = &setting.folder;
        folder.make()?;
        match reach(folder).await? {
            Reached::Folder(lock) => {
                let options = Options {
                    key_file: Some(folder.file(Folder::MASTER_KEY)),
                    without_firing: true,
                    ..setting.settings.platform()
                };
                let platform = Platform::open_with(setting.database(), options).await?;
                Ok(Self::Here(Box::new(platform), Some(lock)))
            }
            Reached::Server(conversation) => Ok(Self::There(conversation)),
        }
    }

    /// Opens a store that is thrown away afterwards.
    pub async fn throwaway(folder: &Folder, options: Options) -> Result<Self, Failure> {
        // Nobody has a wallet in it.
        let options = Options { throwaway: true, credits: CreditRules::default(), ..options };
        let platform = Platform::open_with(&folder.database(), options).await?;
        Ok(Self::Here(Box::new(platform), None))
    }

    /// Whether the use cases run in another process.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::There(_))
    }

    /// Carries out one request.
    pub async fn ask(&mut self, request: Request) -> Result<Value, Failure> {
        let response = match self {
            Self::Here(platform, _) => execute(platform, request).await,
            Self::There(conversation) => {
                conversation.ask(&request).await.map_err(|error| Failure::of("command socket", error))?
            }
        };
        response.map_err(Failure::new)
    }

    /// Follows a run of the operator account while requests go on. Where that cannot be done nothing comes: only
    /// progress is shown from it.
    pub async fn follow(&self, folder: &Folder, run: &str) -> mpsc::Receiver<Glance> {
        let (sender, receiver) = mpsc::channel(1);
        match self {
            Self::Here(platform, _) => {
                if let Ok(mut follow) = Follow::open(platform, None, run).await {
                    tokio::spawn(async move {
                        while let Some(glance) = follow.next().await {
                            if sender.send(glance).await.is_err() {
                                return;
                            }
                        }
                    });
                }
            }
            Self::There(_) => {
                if let Ok(mut server) = connect(folder).await {
                    let request = Request::Follow { user: None, run: run.to_owned() };
                    tokio::spawn(async move {
                        let mut heard = server.ask(&request).await;
                        while let Ok(Ok(glance)) = heard {
                            let Ok(glance) = serde_json::from_value::<Glance>(glance) else { return };
                            if sender.send(glance).await.is_err() {
                                return;
                            }
                            heard = server.hear().await;
                        }
                    });
                }
            }
        }
        receiver
    }

    /// Lets everything reach the disk.
    pub async fn close(self) {
        if let Self::Here(platform, _lock) = self {
            platform.close().await;
        }
    }
}

/// Who a command has to do with.
pub enum Reached {
    /// Nobody else: this process holds the folder.
    Folder(Lock),
    /// The server that holds it.
    Server(Conversation),
}

/// Takes the folder, or connects to the server that has it; waits for another command to be done.
pub async fn reach(folder: &Folder) -> Result<Reached, Failure> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let holder = match folder.try_lock(false)? {
            Ok(lock) => {
                folder.refuse_half_restored()?;
                return Ok(Reached::Folder(lock));
            }
            Err(holder) => holder,
        };
        // A server that is starting has no socket yet; a command that is about to end never has one.
        match connect(folder).await {
            Ok(conversation) => return Ok(Reached::Server(conversation)),
            Err(_) if Instant::now() < give_up => tokio::time::sleep(POLL).await,
            Err(_) => return Err(folder.in_use(&holder)),
        }
    }
}
