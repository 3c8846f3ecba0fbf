//! An answer's body, read in pieces and within its bounds.
//!
//! A compressed body is unpacked as it comes and its bound holds before and after, so a small text that unpacks to a
//! large one is noticed at the bound and not when memory is gone.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, timeout_at};

use crate::client::broken;
use crate::unpack::{Coding, Trouble, Unpacker};
use crate::{Error, Limits, Phase};

/// The bytes of an answer. Dropping it ends the transfer.
#[derive(Debug)]
pub struct Body {
    inner: Incoming,
    host: Arc<str>,
    limits: Limits,
    deadline: Instant,
    /// How much may still come over the wire.
    left: u64,
    unpacker: Option<Unpacker>,
}

impl Body {
    pub(crate) fn new(
        inner: Incoming,
        host: Arc<str>,
        limits: Limits,
        deadline: Instant,
        coding: Option<Coding>,
    ) -> Self {
        let unpacker = coding.map(|coding| Unpacker::new(coding, limits.body));
        Self { inner, host, limits, deadline, left: limits.body, unpacker }
    }

    /// The next piece, never empty, or `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            // One piece as sent may be many unpacked ones.
            if let Some(piece) = self.unpacked()? {
                consume_budget().await;
                return Ok(Some(piece));
            }
            let Some(data) = self.data().await? else { break };
            self.left = self.left.checked_sub(data.len() as u64).ok_or_else(|| self.too_large())?;
            match &mut self.unpacker {
                None => return Ok(Some(data)),
                Some(unpacker) => unpacker.push(data),
            }
        }
        let Some(unpacker) = self.unpacker.take() else { return Ok(None) };
        let rest = unpacker.finish().map_err(|trouble| self.unpacking(trouble))?;
        Ok(Some(rest).filter(|rest| !rest.is_empty()))
    }

    fn unpacked(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(unpacker) = &mut self.unpacker else { return Ok(None) };
        if Instant::now() >= self.deadline {
            return Err(late(&self.host, &self.limits, true));
        }
        unpacker.piece().map_err(|trouble| self.unpacking(trouble))
    }

    /// All that is left.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        if self.inner.size_hint().lower() > self.left {
            return Err(self.too_large());
        }
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut all = BytesMut::with_capacity(2 * (first.len() + second.len()));
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(piece) = self.chunk().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    /// The next data as sent.
    async fn data(&mut self) -> Result<Option<Bytes>, Error> {
        // Trailers and empty frames do not count as a sign of life.
        let begun = Instant::now();
        let silence = begun + self.limits.read;
        loop {
            // A peer whose data is always there would never be interrupted by the timer.
            if begun >= self.deadline {
                return Err(late(&self.host, &self.limits, true));
            }
            let frame = match timeout_at(silence.min(self.deadline), self.inner.frame()).await {
                Err(_) => return Err(late(&self.host, &self.limits, self.deadline <= silence)),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(broken(&self.host, &error)),
                Ok(Some(Ok(frame))) => frame,
            };
            if let Some(data) = frame.into_data().ok().filter(|data| !data.is_empty()) {
                return Ok(Some(data));
            }
        }
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { host: self.host.as_ref().to_owned(), limit: self.limits.body }
    }

    fn unpacking(&self, trouble: Trouble) -> Error {
        match trouble {
            Trouble::TooLarge => self.too_large(),
            Trouble::Damaged => Error::Compression { host: self.host.as_ref().to_owned() },
        }
    }
}

/// The error of a peer that is too slow, for one piece or on the whole.
pub(crate) fn late(host: &str, limits: &Limits, whole: bool) -> Error {
    let (phase, after): (_, Duration) = if whole { (Phase::Whole, limits.whole) } else { (Phase::Read, limits.read) };
    Error::Timeout { host: host.to_owned(), phase, after }
}
