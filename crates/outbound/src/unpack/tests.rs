use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;

/// `"to and fro "` 5,000 times, and 32 MiB of zeros: nothing here can write brotli.
const TEXT_BR: &str = "G9fW+I2UqtujDjNzo9Mgb2Ry48AIoENngEPjAw==";
const ZEROS_BR: &str = "y///P/gnAOKxQCD3/o///3/wTwDEYRGA7v0f////4J8AiMMCAN37v/z//8M/ARCHBQC6938=";

fn text() -> Vec<u8> {
    "to and fro ".repeat(5000).into_bytes()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

fn raw(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(data: &[u8]) -> Vec<u8> {
    ::zstd::bulk::compress(data, 3).expect("memory")
}

/// The text in every form in which it may come.
fn forms() -> Vec<(Coding, Vec<u8>)> {
    let text = text();
    let (one, two) = text.split_at(20_000);
    vec![
        (Coding::Gzip, gzip(&text)),
        (Coding::Gzip, [gzip(one), gzip(two)].concat()),
        (Coding::Deflate, zlib(&text)),
        (Coding::Deflate, raw(&text)),
        (Coding::Brotli, STANDARD.decode(TEXT_BR).expect("base64")),
        (Coding::Zstd, zstd(&text)),
        (Coding::Zstd, [zstd(one), zstd(two)].concat()),
    ]
}

/// Unpacks data that comes in pieces of `size`; also the largest piece that came out.
fn unpack(coding: Coding, data: &[u8], size: usize, left: u64) -> Result<(Vec<u8>, usize), Trouble> {
    let mut unpacker = Unpacker::new(coding, left);
    let (mut all, mut largest) = (Vec::new(), 0);
    for piece in data.chunks(size) {
        unpacker.push(Bytes::copy_from_slice(piece));
        while let Some(piece) = unpacker.piece()? {
            assert!(!piece.is_empty());
            largest = largest.max(piece.len());
            all.extend_from_slice(&piece);
        }
    }
    all.extend_from_slice(&unpacker.finish()?);
    Ok((all, largest))
}

#[test]
fn names_of_codings_are_read_in_any_letter_case() {
    for (name, coding) in [
        ("gzip", Some(Coding::Gzip)),
        (" X-GZip ", Some(Coding::Gzip)),
        ("Deflate", Some(Coding::Deflate)),
        ("BR", Some(Coding::Brotli)),
        ("zstd", Some(Coding::Zstd)),
        ("", None),
        ("identity", None),
        ("compress", None),
        ("gzip, br", None),
    ] {
        assert_eq!(Coding::named(name.as_bytes()), coding, "{name}");
    }
}

#[test]
fn what_was_packed_comes_out_however_it_is_cut() {
    for (number, (coding, data)) in forms().into_iter().enumerate() {
        for size in [1, 2, 3, 100, 1 << 20] {
            let (all, _) = unpack(coding, &data, size, 55_000).unwrap_or_else(|_| panic!("{number} by {size}"));
            assert!(all == text(), "{number} by {size}");
        }
        assert_eq!(unpack(coding, &data, 100, 54_999), Err(Trouble::TooLarge), "{number}");
    }
}

#[test]
fn empty_contents_and_no_content_at_all_are_told_apart_from_a_cut() {
    for (coding, data) in [
        (Coding::Gzip, gzip(b"")),
        (Coding::Deflate, zlib(b"")),
        (Coding::Deflate, raw(b"")),
        (Coding::Brotli, vec![0x3b]),
        (Coding::Zstd, zstd(b"")),
    ] {
        assert_eq!(unpack(coding, &data, 1, 0), Ok((Vec::new(), 0)), "{coding:?}");
        assert_eq!(unpack(coding, b"", 1, 0), Ok((Vec::new(), 0)), "{coding:?}");
    }
}

#[test]
fn what_was_cut_short_is_damaged() {
    for (number, (coding, data)) in forms().into_iter().enumerate() {
        // Two members, cut between them, are a whole first one.
        let between = match number {
            1 => Some(gzip(&text()[..20_000]).len()),
            6 => Some(zstd(&text()[..20_000]).len()),
            _ => None,
        };
        for end in (1..data.len()).filter(|end| Some(*end) != between) {
            assert_eq!(unpack(coding, &data[..end], 1 << 20, 1 << 20), Err(Trouble::Damaged), "{number} up to {end}");
        }
    }
}

#[test]
fn what_follows_the_end_is_damage() {
    for (coding, mut data) in forms() {
        // Raw and framed deflate end by themselves; what follows is not looked at, as in other clients.
        if coding == Coding::Deflate {
            continue;
        }
        data.extend_from_slice(b"garbage");
        for size in [1, 1 << 20] {
            assert_eq!(unpack(coding, &data, size, 1 << 20), Err(Trouble::Damaged), "{coding:?}");
        }
    }
}

#[test]
fn bombs_go_off_in_small_pieces() {
    let zeros = vec![0; 32 << 20];
    for (coding, data) in [
        (Coding::Gzip, gzip(&zeros)),
        (Coding::Deflate, zlib(&zeros)),
        (Coding::Deflate, raw(&zeros)),
        (Coding::Brotli, STANDARD.decode(ZEROS_BR).expect("base64")),
        (Coding::Zstd, zstd(&zeros)),
    ] {
        assert!(data.len() < 64 * 1024, "{coding:?}");
        let (all, largest) = unpack(coding, &data, 1 << 20, 32 << 20).expect("it just fits");
        assert!(all == zeros, "{coding:?}");
        assert!(largest <= 160 * 1024, "{coding:?}: {largest}");
        assert_eq!(unpack(coding, &data, 1 << 20, 1 << 20), Err(Trouble::TooLarge), "{coding:?}");
    }
}

#[test]
fn a_window_larger_than_the_standard_allows_is_refused() {
    // The head of a frame that wants a window of 128 MiB, and of 8 MiB.
    let frame = |window: u8| [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, (window - 10) << 3][..], &[0x01, 0x00, 0x00]].concat();
    assert_eq!(unpack(Coding::Zstd, &frame(23), 100, 10), Ok((Vec::new(), 0)));
    assert_eq!(unpack(Coding::Zstd, &frame(27), 100, 10), Err(Trouble::Damaged));
}
