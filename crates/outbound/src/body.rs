//! An answer's body, read in pieces and within its bounds.
//!
//! A compressed body is unpacked as it comes and its bound holds before and after, so a small text that unpacks to a
//! large one is noticed at the bound and not when memory is gone.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::client::broken;
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
    pub(crate) fn new(inner: Incoming, host: Arc<str>, limits: Limits, deadline: Instant, packed: bool) -> Self {
        let unpacker = packed.then(|| Unpacker::new(limits.body));
        Self { inner, host, limits, deadline, left: limits.body, unpacker }
    }

    /// The next piece, never empty, or `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(data) = self.data().await? {
            self.left = self.left.checked_sub(data.len() as u64).ok_or_else(|| self.too_large())?;
            let piece = match &mut self.unpacker {
                None => data,
                Some(unpacker) => match unpacker.push(&data) {
                    Ok(piece) => piece,
                    Err(error) => return Err(self.unpacking(&error)),
                },
            };
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        let Some(unpacker) = self.unpacker.take() else { return Ok(None) };
        let rest = unpacker.finish().map_err(|error| self.unpacking(&error))?;
        Ok(Some(rest).filter(|rest| !rest.is_empty()))
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

    fn unpacking(&self, error: &io::Error) -> Error {
        if error.kind() == io::ErrorKind::FileTooLarge {
            return self.too_large();
        }
        Error::Compression { host: self.host.as_ref().to_owned() }
    }
}

/// The error of a peer that is too slow, for one piece or on the whole.
pub(crate) fn late(host: &str, limits: &Limits, whole: bool) -> Error {
    let (phase, after): (_, Duration) = if whole { (Phase::Whole, limits.whole) } else { (Phase::Read, limits.read) };
    Error::Timeout { host: host.to_owned(), phase, after }
}

/// Unpacks gzip, piece by piece.
#[derive(Debug)]
struct Unpacker {
    decoder: MultiGzDecoder<Sink>,
    /// An answer without body (to HEAD, say) may still be labelled as compressed.
    begun: bool,
}

impl Unpacker {
    fn new(left: u64) -> Self {
        Self { decoder: MultiGzDecoder::new(Sink { out: Vec::new(), left }), begun: false }
    }

    fn push(&mut self, data: &[u8]) -> io::Result<Bytes> {
        self.begun = true;
        self.decoder.write_all(data)?;
        // What the decoder holds back would make a stream of events late.
        self.decoder.flush()?;
        Ok(std::mem::take(&mut self.decoder.get_mut().out).into())
    }

    fn finish(mut self) -> io::Result<Bytes> {
        if self.begun {
            self.decoder.try_finish()?;
        }
        Ok(std::mem::take(&mut self.decoder.get_mut().out).into())
    }
}

/// Takes what is unpacked, up to a bound. The decoder hands over at most 32 KiB at a time.
#[derive(Debug)]
struct Sink {
    out: Vec<u8>,
    left: u64,
}

impl io::Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(data.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        self.out.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
