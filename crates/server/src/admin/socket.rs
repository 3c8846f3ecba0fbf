//! The Unix socket in the data folder: requests and answers as lines of JSON.
//!
//! Who may connect is a matter of file modes: the folder is 0700 and the socket 0600, so whoever reaches it could read
//! the database as well.

use super::follow::Follow;
use super::{Request, Response, execute};
use crate::failure::Failure;
use crate::folder::Folder;
use heddle_fault as fault;
use heddle_platform::Platform;
use serde_json::{Value, json};
use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Bytes of one line; an agent file of many megabytes fits.
const LINE: u64 = 256 << 20;

/// Bytes that a socket's path may have everywhere (`sun_path` holds 108 on Linux, 104 elsewhere).
const PATH: usize = 100;

/// A bound socket; its file goes when this does.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
}

impl Door {
    /// Binds the folder's socket, in place of one that a crash left. The caller holds the folder's lock.
    pub fn bind(folder: &Folder) -> Result<Self, Failure> {
        let path = folder.socket();
        let listener = bind(folder).map_err(|error| Failure::of(path.display(), error))?;
        Ok(Self { listener, path })
    }

    /// Answers requests until dropped.
    pub async fn serve(self, platform: Platform) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let platform = platform.clone();
                    tokio::spawn(async move {
                        // A command that went away needs no answer.
                        let _ = converse(stream, &platform).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the command socket cannot accept");
                    tokio::time::sleep(crate::folder::POLL).await;
                }
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Otherwise the next command finds it, is refused and takes the lock: harmless.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Binds under a name that nobody else can reach, so that the socket is never seen with a wider mode than 0600.
fn bind(folder: &Folder) -> io::Result<UnixListener> {
    let nursery = folder.file(".sock");
    let _ = std::fs::remove_dir_all(&nursery);
    DirBuilder::new().mode(0o700).create(&nursery)?;
    let born = nursery.join("s");
    let listener = short(&born, |path| UnixListener::bind(path))?;
    std::fs::set_permissions(&born, Permissions::from_mode(0o600))?;
    std::fs::rename(&born, folder.socket())?;
    std::fs::remove_dir(&nursery)?;
    Ok(listener)
}

/// Connects to the folder's socket.
pub async fn connect(folder: &Folder) -> io::Result<Conversation> {
    let stream = short(&folder.socket(), |path| std::os::unix::net::UnixStream::connect(path))?;
    stream.set_nonblocking(true)?;
    Ok(Conversation(BufReader::new(UnixStream::from_std(stream)?)))
}

/// Does something with a path, or with a shorter name of it when sockets cannot have one so long.
fn short<T>(path: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= PATH {
        return act(path);
    }
    let folder = File::open(path.parent().unwrap_or(Path::new(".")))?;
    let name = path.file_name().unwrap_or_default();
    act(&Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name))
}

async fn converse(stream: UnixStream, platform: &Platform) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(line) = read_line(&mut stream).await? {
        fault::point!("admin.request").map_err(io::Error::other)?;
        let response: Response = match serde_json::from_slice::<Request>(&line) {
            Ok(request @ Request::Copy { .. }) => tokio::select! {
                response = execute(platform, request) => response,
                // A copy that nobody waits for would only be left lying about.
                () = hung_up(&mut stream) => return Ok(()),
            },
            Ok(Request::Follow { user, run }) => match Follow::open(platform, user.as_deref(), &run).await {
                Ok(mut follow) => {
                    while let Some(glance) = tokio::select! {
                        glance = follow.next() => glance,
                        () = hung_up(&mut stream) => return Ok(()),
                    } {
                        write_line(&mut stream, &Response::Ok(json!(glance))).await?;
                    }
                    Ok(Value::Null)
                }
                Err(error) => Err(error.to_string()),
            },
            Ok(request) => execute(platform, request).await,
            Err(error) => Err(format!("the server does not understand this command: {error}")),
        };
        fault::point!("admin.answer").map_err(io::Error::other)?;
        write_line(&mut stream, &response).await?;
    }
    Ok(())
}

/// Returns when the other side has gone.
async fn hung_up(stream: &mut BufReader<UnixStream>) {
    if let Ok([_, ..]) = stream.fill_buf().await {
        // It has asked for more already, so it waits.
        std::future::pending::<()>().await;
    }
}

/// The command's side.
#[derive(Debug)]
pub struct Conversation(BufReader<UnixStream>);

impl Conversation {
    /// One request and its answer.
    pub async fn ask(&mut self, request: &Request) -> io::Result<Response> {
        write_line(&mut self.0, request).await?;
        self.hear().await
    }

    /// What is said next, where a request has several answers.
    pub async fn hear(&mut self) -> io::Result<Response> {
        match read_line(&mut self.0).await? {
            Some(line) => Ok(serde_json::from_slice(&line)?),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server stopped before it answered")),
        }
    }
}

async fn write_line(stream: &mut BufReader<UnixStream>, message: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.get_mut().write_all(&line).await
}

async fn read_line(stream: &mut BufReader<UnixStream>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    stream.take(LINE).read_until(b'\n', &mut line).await?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "an incomplete or too long message")),
    }
}
