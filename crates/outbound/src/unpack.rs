//! Undoes a compression, a small piece at a time.
//!
//! A few bytes can unpack to gigabytes, so nothing here unpacks all that it was given: each call yields at most some
//! kilobytes, and whoever asks for the next piece can look at the clock and the bound before.

use std::io;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::{Buf as _, Bytes};
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zstd::stream::raw::{DParameter, Decoder as Zstd, Operation as _};

/// The most that one piece holds, but for deflate: its decoder hands over what [`SIP`] bytes come to.
const PIECE: usize = 16 * 1024;

/// What a deflate decoder is fed at once. They grow 1032 times at most, so to 132 KiB.
const SIP: usize = 128;

/// The largest window a server may ask for in zstd, as a power of two: what RFC 9659 allows.
const WINDOW: u32 = 23;

/// What is asked for. Deflate is read but not asked for: servers disagree about what it means.
pub(crate) const ACCEPTED: &str = "gzip, br, zstd";

/// A content coding (RFC 9110, 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// The coding a header names, if it is one of ours. Several on top of each other are not undone.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Some(Self::Gzip),
            b"deflate" => Some(Self::Deflate),
            b"br" => Some(Self::Brotli),
            b"zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// What is wrong with compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    TooLarge,
    Damaged,
}

/// Unpacks what it is given, up to a bound.
#[derive(Debug)]
pub(crate) struct Unpacker {
    decoder: Decoder,
    /// What may still come out.
    left: u64,
    input: Bytes,
    /// Whether there may be output without further input.
    more: bool,
    /// An answer without body (to HEAD, say) may still be labelled as compressed.
    begun: bool,
}

impl Unpacker {
    pub(crate) fn new(coding: Coding, left: u64) -> Self {
        Self { decoder: Decoder::new(coding), left, input: Bytes::new(), more: false, begun: false }
    }

    /// Gives it more, once [`Self::piece`] has nothing left.
    pub(crate) fn push(&mut self, data: Bytes) {
        self.begun |= !data.is_empty();
        self.input = data;
    }

    /// The next piece of what was given, never empty.
    pub(crate) fn piece(&mut self) -> Result<Option<Bytes>, Trouble> {
        while self.more || !self.input.is_empty() {
            let mut out = Vec::new();
            let (read, more) = self.decoder.step(&self.input, &mut out).map_err(|_| Trouble::Damaged)?;
            if read == 0 && out.is_empty() && !self.input.is_empty() {
                return Err(Trouble::Damaged);
            }
            self.input.advance(read);
            self.more = more;
            if !out.is_empty() {
                return self.within(out).map(Some);
            }
        }
        Ok(None)
    }

    /// What is left once nothing more will be given. Data that was cut short is damaged.
    pub(crate) fn finish(mut self) -> Result<Bytes, Trouble> {
        if !self.begun {
            return Ok(Bytes::new());
        }
        let rest = self.decoder.finish().map_err(|_| Trouble::Damaged)?;
        self.within(rest)
    }

    fn within(&mut self, out: Vec<u8>) -> Result<Bytes, Trouble> {
        self.left = self.left.checked_sub(out.len() as u64).ok_or(Trouble::TooLarge)?;
        Ok(out.into())
    }
}

enum Decoder {
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// Not yet known which of the two that go by the name.
    Deflate,
    Zlib(ZlibDecoder<Vec<u8>>),
    Raw(DeflateDecoder<Vec<u8>>),
    Brotli(Box<Brotli>, bool),
    Zstd(Option<Zstd<'static>>, bool),
}

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

impl Decoder {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(MultiGzDecoder::new(Vec::new())),
            Coding::Deflate => Self::Deflate,
            Coding::Brotli => {
                let alloc = StandardAlloc::default;
                Self::Brotli(Box::new(BrotliState::new(alloc(), alloc(), alloc())), false)
            }
            Coding::Zstd => Self::Zstd(None, false),
        }
    }

    /// Reads some of `input` and appends what that comes to. Answers how much it read, and whether there may be more to
    /// come without further input.
    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> io::Result<(usize, bool)> {
        match self {
            Self::Gzip(decoder) => {
                let read = sip(decoder, input)?;
                out.append(decoder.get_mut());
                Ok((read, false))
            }
            Self::Deflate => {
                *self = if is_zlib(input) {
                    Self::Zlib(ZlibDecoder::new(Vec::new()))
                } else {
                    Self::Raw(DeflateDecoder::new(Vec::new()))
                };
                self.step(input, out)
            }
            Self::Zlib(decoder) => {
                let read = sip(decoder, input)?;
                out.append(decoder.get_mut());
                Ok((read, false))
            }
            Self::Raw(decoder) => {
                let read = sip(decoder, input)?;
                out.append(decoder.get_mut());
                Ok((read, false))
            }
            Self::Brotli(state, ended) => brotli(state, ended, input, out),
            Self::Zstd(decoder, ended) => {
                let decoder = match decoder {
                    Some(decoder) => decoder,
                    none => none.insert(zstd()?),
                };
                out.resize(PIECE, 0);
                let status = decoder.run_on_buffers(input, out)?;
                let more = status.bytes_written == PIECE;
                out.truncate(status.bytes_written);
                // The last call of a full piece may say that a frame ended which a later call has nothing to add to.
                if status.bytes_read > 0 || status.bytes_written > 0 {
                    *ended = status.remaining == 0;
                }
                Ok((status.bytes_read, more))
            }
        }
    }

    /// What is still held back, when the data is complete.
    fn finish(&mut self) -> io::Result<Vec<u8>> {
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        match self {
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Zlib(decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Raw(decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Brotli(_, true) | Self::Zstd(_, true) => Ok(Vec::new()),
            Self::Deflate | Self::Brotli(..) | Self::Zstd(..) => Err(cut()),
        }
    }
}

/// Feeds a deflate decoder a little; at the end of the input, what it holds back would make a stream of events late.
fn sip(decoder: &mut impl io::Write, input: &[u8]) -> io::Result<usize> {
    let some = &input[..input.len().min(SIP)];
    decoder.write_all(some)?;
    if some.len() == input.len() {
        decoder.flush()?;
    }
    Ok(some.len())
}

/// Whether data labelled `deflate` has the frame that the standard wants (RFC 1950), which not every server sends.
fn is_zlib(data: &[u8]) -> bool {
    match data {
        [method, flags, ..] => method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31),
        [method] => method & 0x0f == 8,
        [] => true,
    }
}

fn brotli(state: &mut Brotli, ended: &mut bool, input: &[u8], out: &mut Vec<u8>) -> io::Result<(usize, bool)> {
    if *ended {
        // Nothing may follow.
        return if input.is_empty() { Ok((0, false)) } else { Err(io::ErrorKind::InvalidData.into()) };
    }
    out.resize(PIECE, 0);
    let (mut unread, mut read, mut room, mut wrote, mut total) = (input.len(), 0, PIECE, 0, 0);
    let result = BrotliDecompressStream(&mut unread, &mut read, input, &mut room, &mut wrote, out, &mut total, state);
    out.truncate(wrote);
    match result {
        BrotliResult::ResultFailure => Err(io::ErrorKind::InvalidData.into()),
        BrotliResult::ResultSuccess => {
            *ended = true;
            Ok((read, false))
        }
        BrotliResult::NeedsMoreInput => Ok((read, false)),
        BrotliResult::NeedsMoreOutput => Ok((read, true)),
    }
}

fn zstd() -> io::Result<Zstd<'static>> {
    let mut decoder = Zstd::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(WINDOW))?;
    Ok(decoder)
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gzip(_) => "Gzip",
            Self::Deflate | Self::Zlib(_) | Self::Raw(_) => "Deflate",
            Self::Brotli(..) => "Brotli",
            Self::Zstd(..) => "Zstd",
        })
    }
}

#[cfg(test)]
mod tests;
